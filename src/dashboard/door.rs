//! Who is let in, and who may change things.
//!
//! Against a foreign page in the same browser: the cookie is `SameSite=Strict`, `Origin` must be our own wherever
//! there is one, and a command needs one; what says of itself that it comes from another site gets nothing.
//! Against DNS rebinding: the proxy routes by host, and ours is one name. Against other users of the machine: the
//! proxy asks the kernel whose connection it is. Against guessing: 256 random bits.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{actors::ipc_gateway::Desk, core::visitors::same};

/// The field in which a command shows the session's token.
const TOKEN: &str = "x-locald-token";

/// Whoever is not logged in.
pub(super) const STRANGER: Refusal = Refusal {
    status: StatusCode::UNAUTHORIZED,
    why: "you are not logged in: `locald dashboard` opens this page so that you are",
};

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

/// Who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// What its cookie says.
    pub(super) key: String,
    /// What its commands must show.
    pub(super) token: String,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, why: &'static str) -> Self {
        Self { status, why }
    }
}

/// Refuses what another page has asked for, as far as browsers tell.
pub(super) fn same_origin(
    method: &Method,
    fields: &HeaderMap,
    own_origin: &str,
) -> Result<(), Refusal> {
    let foreign = Refusal::new(StatusCode::FORBIDDEN, "this is for our own pages only");
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let mut origins = fields.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) if reads => {}
        (Some(origin), None) if origin.as_bytes() == own_origin.as_bytes() => {}
        _ => return Err(foreign),
    }
    // A link from elsewhere may lead here; whoever follows it brings no cookie.
    let navigates = fields.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let site = fields.get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) if reads && navigates => Ok(()),
        Some(_) => Err(foreign),
    }
}

/// Who asks, if that is somebody who is logged in.
pub(super) fn visitor(desk: &Desk, fields: &HeaderMap, secure: bool) -> Option<Visitor> {
    let key = key(fields, secure)?;
    let now = desk.since.elapsed();
    let mut token = None;
    desk.visitors.send_modify(|visitors| token = visitors.token(now, key));
    token.map(|token| Visitor { key: key.to_owned(), token })
}

impl Visitor {
    /// Whether a command shows the session's token.
    pub(super) fn may_command(&self, fields: &HeaderMap) -> Result<(), Refusal> {
        let shown = fields.get(TOKEN).and_then(|token| token.to_str().ok());
        if shown.is_some_and(|shown| same(shown, &self.token)) {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::FORBIDDEN, "a command must show the token of its session"))
    }
}

/// Where TLS is not spoken, browsers take neither `Secure` nor the prefix that implies it.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-locald" } else { "locald" }
}

fn key(fields: &HeaderMap, secure: bool) -> Option<&str> {
    let cookies = fields.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name(secure)).then_some(value)
    })
}

/// Begins a session in a browser.
pub(super) fn cookie(key: &str, secure: bool) -> HeaderValue {
    let secured = if secure { "; Secure" } else { "" };
    let name = name(secure);
    let text = format!("{name}={key}; Path=/; HttpOnly; SameSite=Strict{secured}");
    HeaderValue::try_from(text).expect("hexadecimal digits make a header field")
}

/// Ends it.
pub(super) fn no_cookie(secure: bool) -> HeaderValue {
    let ended = cookie("", secure).as_bytes().to_vec();
    HeaderValue::try_from([&ended[..], b"; Max-Age=0"].concat()).expect("it was one before")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://locald.localhost:8443";

    fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[track_caller]
    fn check(method: &Method, given: &[(&'static str, &str)], good: bool) {
        assert_eq!(same_origin(method, &fields(given), OWN).is_ok(), good, "{method} {given:?}");
    }

    #[test]
    fn a_command_says_that_it_comes_from_here() {
        check(&Method::POST, &[("origin", OWN)], true);
        check(&Method::POST, &[("origin", OWN), ("sec-fetch-site", "same-origin")], true);
        check(&Method::POST, &[], false);
        for origin in [
            "null",
            "",
            "https://locald.localhost",
            "http://locald.localhost:8443",
            "https://evil.com",
        ] {
            check(&Method::POST, &[("origin", origin)], false);
            check(&Method::GET, &[("origin", origin)], false);
        }
        check(&Method::POST, &[("origin", OWN), ("origin", "https://evil.com")], false);
        check(&Method::POST, &[("origin", OWN), ("sec-fetch-site", "same-site")], false);
        let link =
            [("origin", OWN), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        check(&Method::POST, &link, false);
    }

    #[test]
    fn to_read_one_need_not_say_anything_but_not_come_from_elsewhere() {
        check(&Method::GET, &[], true);
        check(&Method::HEAD, &[("sec-fetch-site", "none")], true);
        check(&Method::GET, &[("sec-fetch-site", "same-site")], false);
        check(&Method::GET, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")], false);
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        check(&Method::GET, &link, true);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let cookies = fields(&[("cookie", "a=b; locald=one"), ("cookie", "__Host-locald=two")]);
        assert_eq!(key(&cookies, false), Some("one"));
        assert_eq!(key(&cookies, true), Some("two"));
        assert_eq!(key(&fields(&[("cookie", "xlocald=one")]), false), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_and_nobody_elses_pages_or_scripts() {
        let text = cookie("ab", true);
        assert_eq!(text, "__Host-locald=ab; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(cookie("ab", false), "locald=ab; Path=/; HttpOnly; SameSite=Strict");
        assert!(no_cookie(true).to_str().unwrap().ends_with("; Max-Age=0"));
    }
}
