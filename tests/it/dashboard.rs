//! The dashboard, asked as its page does, and as pages and programs do that must not.

mod browser;
mod door;
mod live;
mod pictures;
mod scripts;
mod seen;
mod visit;
