//! The rules of the data path, from outside: raw sockets on both sides.
