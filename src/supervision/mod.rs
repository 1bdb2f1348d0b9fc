//! OTP for a dependency graph; knows nothing of services.
//!
//! [`graph`], [`budget`] and [`engine`] are pure: `step(now, input) -> effects`. [`nursery`] turns
//! ractor's news into inputs and effects into deeds, on behalf of whichever actor supervises.

pub mod address;
pub mod budget;
pub mod engine;
pub mod fault;
pub mod graph;
pub mod nursery;
pub mod plate;
pub mod supervisor;
