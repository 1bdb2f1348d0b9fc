//! Hosts that are not written in ASCII.

use super::head::Refusal;

/// Turns an authority into ASCII, if it is not.
pub(super) fn normalise(authority: &mut Vec<u8>) -> Result<(), Refusal> {
    if authority.is_ascii() {
        return Ok(());
    }
    let malformed = Refusal::bad("the host is malformed");
    let text = std::str::from_utf8(authority).map_err(|_| malformed)?;
    let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
    let ascii = idna::domain_to_ascii(host).map_err(|_| malformed)?;
    *authority = (ascii + port).into_bytes();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_other_scripts_become_punycode() {
        for (text, expected) in [
            ("bücher.localhost:80", Some("xn--bcher-kva.localhost:80")),
            ("BÜCHER.localhost", Some("xn--bcher-kva.localhost")),
            ("shop.localhost", Some("shop.localhost")),
            ("\u{fffd}.localhost", None),
        ] {
            let mut authority = text.as_bytes().to_vec();
            let done = normalise(&mut authority);
            assert_eq!(
                done.ok().map(|()| authority),
                expected.map(|text| text.as_bytes().to_vec()),
                "{text}"
            );
        }
    }
}
