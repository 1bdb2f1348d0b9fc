//! Asks the system for names, as other programs do, and not for long.

use std::{
    io::ErrorKind,
    net::{IpAddr, ToSocketAddrs as _},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::core::doctor::facts::Lookup;

/// A name that nobody has chosen.
pub const ANY: &str = "locald-doctor.localhost";

/// A name server that does not answer keeps `getaddrinfo` for half a minute.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the system makes of each of these names.
pub fn look_up(names: Vec<String>) -> Vec<(String, Lookup)> {
    let asked: Vec<_> = names
        .into_iter()
        .map(|name| {
            let (send, answer) = mpsc::channel();
            let asked = name.clone();
            // Nobody waits for one that is late; it ends with the process.
            let thread = thread::Builder::new().spawn(move || send.send(ask(&asked)));
            (name, answer, thread)
        })
        .collect();
    let late = |_| Lookup::Late;
    asked
        .into_iter()
        .map(|(name, answer, _thread)| (name, answer.recv_timeout(PATIENCE).unwrap_or_else(late)))
        .collect()
}

fn ask(name: &str) -> Lookup {
    let addresses = match (name, 80).to_socket_addrs() {
        Ok(addresses) => addresses.map(|address| address.ip()).collect::<Vec<IpAddr>>(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Lookup::Late,
        Err(_) => return Lookup::Unknown,
    };
    match addresses.iter().find(|address| !address.is_loopback()) {
        Some(other) => Lookup::Elsewhere(other.to_string()),
        None if addresses.is_empty() => Lookup::Unknown,
        None => Lookup::Here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_here_or_nowhere() {
        let names = ["localhost", "nobody.invalid", "192.0.2.1"].map(str::to_owned);
        let found: Vec<Lookup> = look_up(names.into()).into_iter().map(|(_, it)| it).collect();
        assert_eq!(found[0], Lookup::Here);
        assert!(matches!(found[1], Lookup::Unknown | Lookup::Late), "{found:?}");
        assert_eq!(found[2], Lookup::Elsewhere("192.0.2.1".to_owned()));
    }
}
