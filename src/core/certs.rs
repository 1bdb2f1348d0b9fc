//! Certificates: who gets one, how long it is good, which are kept. Nothing is signed here.

mod bucket;
mod names;
mod tenure;
#[cfg(test)]
mod tests;
mod validity;

pub use self::{
    bucket::Bucket,
    names::{LeafName, Realm, root_subject},
    tenure::{CAPACITY, evictions},
    validity::{Validity, leaf_validity, root_validity},
};
