//! The rules of the data path, from outside: raw sockets on both sides.

mod bodies;
mod h2c;
mod heads;
mod holding;
mod hostile;
mod http2;
mod links;
mod routing;
mod tunnels;
mod upstream;
mod world;
