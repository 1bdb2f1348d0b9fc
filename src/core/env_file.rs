//! (not written)
