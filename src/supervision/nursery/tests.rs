//! Real actors under a real supervisor, in paused time.

mod address;
mod failure;
mod order;
mod reshape;
mod stub;
