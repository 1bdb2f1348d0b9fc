//! The rules of the data path, from outside: raw sockets on both sides.

mod bodies;
mod heads;
mod holding;
mod http2;
mod hostile;
mod routing;
mod tunnels;
mod upstream;
mod world;
