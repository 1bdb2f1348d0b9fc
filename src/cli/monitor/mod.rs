//! What `locald monitor` shows and what its keys do, as a state machine: input comes in, effects come
//! out, and the picture is a function of the state. Terminal, sockets and clocks are the command's.

pub mod ansi;
pub mod deed;
pub mod effect;
mod keys;
pub mod layout;
pub mod log;
pub mod model;
mod news;
pub mod patience;
pub mod popup;
pub mod prompt;
pub mod rows;
#[cfg(test)]
mod tests;
pub mod view;
mod wrap;
