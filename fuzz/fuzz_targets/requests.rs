//! Feeds `truths::requests`.

#![no_main]

#[path = "../truths.rs"]
#[expect(dead_code, reason = "the others have targets of their own")]
mod truths;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| truths::requests(bytes));
