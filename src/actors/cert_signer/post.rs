//! How a handshake reaches the signer: by messages, over any number of its lives.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use rustls::sign::CertifiedKey;

use super::Msg;
use crate::{
    core::certs::LeafName,
    os::leaves::{Minter, Refused},
    supervision::address::{Address, CallError},
};

/// How long a handshake waits for the signer, which may be in the middle of a restart.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it asks again when the signer failed over its question.
const ATTEMPTS: u32 = 3;

/// The way to the signer.
pub struct Post(pub Address<Msg>);

impl Minter for Post {
    fn mint(&self, name: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        let signer = self.0.clone();
        async move {
            for _ in 0..ATTEMPTS {
                let name = name.clone();
                match signer.call(|reply| Msg::Mint(name, reply), PATIENCE).await {
                    Ok(minted) => return minted,
                    // Its next life may know better.
                    Err(CallError::Gone) => {}
                    Err(CallError::Timeout(_)) => break,
                }
            }
            Err(Refused::Late)
        }
        .boxed()
    }

    fn renew(&self, name: LeafName) {
        self.0.cast(Msg::Renew(name));
    }
}
