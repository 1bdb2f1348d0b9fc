//! Who waits for which leaf: one minting a name at a time.

use std::collections::HashMap;

use ractor::RpcReplyPort;

use super::Minted;
use crate::core::certs::LeafName;

/// The mintings under way.
#[derive(Default)]
pub(super) struct Flights {
    begun: u64,
    under_way: HashMap<LeafName, Flight>,
}

struct Flight {
    number: u64,
    askers: Vec<RpcReplyPort<Minted>>,
}

impl Flights {
    /// Lets `asker` wait for the leaf. Answers the number of the minting that has to begin, unless
    /// there is one under way.
    pub(super) fn board(
        &mut self,
        name: &LeafName,
        asker: Option<RpcReplyPort<Minted>>,
    ) -> Option<u64> {
        if let Some(flight) = self.under_way.get_mut(name) {
            flight.askers.extend(asker);
            return None;
        }
        self.begun += 1;
        let flight = Flight { number: self.begun, askers: asker.into_iter().collect() };
        self.under_way.insert(name.clone(), flight);
        Some(self.begun)
    }

    /// The minting `number` has ended: those who wait for it; none if nobody knows of it.
    pub(super) fn land(
        &mut self,
        name: &LeafName,
        number: u64,
    ) -> Option<Vec<RpcReplyPort<Minted>>> {
        if self.under_way.get(name)?.number != number {
            return None;
        }
        Some(self.under_way.remove(name)?.askers)
    }
}
