//! Header fields as they came: in order, duplicates kept, in memory that is used again.

/// Header fields in one piece of memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    text: Vec<u8>,
    list: Vec<Field>,
}

/// Where a field is in the text.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: Span,
    value: Span,
    known: Known,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// Fields that a proxy has an opinion on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Known {
    Connection,
    ContentLength,
    Cookie,
    Expect,
    Forwarded,
    Hops,
    Host,
    Http2Settings,
    KeepAlive,
    ProxyConnection,
    Te,
    TransferEncoding,
    Upgrade,
    Watch,
    WebSocketKey,
    XForwardedFor,
    XForwardedHost,
    XForwardedPort,
    XForwardedProto,
    Other,
}

/// How often a request has come through us, so that a loop ends.
pub(super) const HOPS: &[u8] = b"x-locald-hops";
/// What our own pages ask with whether a service is there.
pub(super) const WATCH: &[u8] = b"x-locald-watch";

impl Fields {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.list.clear();
    }

    /// Takes a whole head; spans of it are then made by [`Self::adopt`].
    pub(super) fn set_text(&mut self, text: &[u8]) {
        self.clear();
        self.text.extend_from_slice(text);
    }

    /// Adds a field that lies in the text of [`Self::set_text`] at these offsets.
    pub(super) fn adopt(&mut self, name: Span, value: Span) {
        let known = Known::of(self.get(name));
        self.list.push(Field { name, value, known });
    }

    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        let known = Known::of(name);
        let name = self.append(name);
        let value = self.append(value);
        self.list.push(Field { name, value, known });
    }

    pub(super) fn append(&mut self, text: &[u8]) -> Span {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        Span::new(start, self.text.len())
    }

    pub(super) fn get(&self, span: Span) -> &[u8] {
        &self.text[span.start as usize..span.end as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], Known)> {
        self.list.iter().map(|field| (self.get(field.name), self.get(field.value), field.known))
    }

    /// The values of all fields of a kind.
    pub(super) fn all(&self, known: Known) -> impl Iterator<Item = &[u8]> {
        self.list
            .iter()
            .filter(move |field| field.known == known)
            .map(|field| self.get(field.value))
    }

    /// The value of the first field of a kind.
    pub(super) fn first(&self, known: Known) -> Option<&[u8]> {
        self.all(known).next()
    }

    /// The first value of a field that has no kind of its own.
    pub(super) fn named(&self, wanted: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(name, ..)| name.eq_ignore_ascii_case(wanted)).map(|(_, value, _)| value)
    }

    /// Whether a list-valued field has this element.
    pub(super) fn lists(&self, known: Known, wanted: &[u8]) -> bool {
        self.all(known).flat_map(elements).any(|element| element.eq_ignore_ascii_case(wanted))
    }
}

impl Span {
    /// # Panics
    /// Heads are far below 4 GiB.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let small = |n: usize| u32::try_from(n).expect("a head is smaller than 4 GiB");
        Self { start: small(start), end: small(end) }
    }

    /// Where `part` lies in `whole`.
    pub(super) fn of(whole: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr().addr()).saturating_sub(whole.as_ptr().addr());
        Self::new(start, start + part.len())
    }
}

/// The elements of a comma-separated list.
pub(super) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

impl Known {
    fn of(name: &[u8]) -> Self {
        let is = |wanted: &str, known| {
            if name.eq_ignore_ascii_case(wanted.as_bytes()) { known } else { Self::Other }
        };
        match name.len() {
            2 => is("te", Self::Te),
            4 => is("host", Self::Host),
            6 if name[0] | 0x20 == b'c' => is("cookie", Self::Cookie),
            6 => is("expect", Self::Expect),
            7 => is("upgrade", Self::Upgrade),
            9 => is("forwarded", Self::Forwarded),
            10 if name[0] | 0x20 == b'c' => is("connection", Self::Connection),
            10 => is("keep-alive", Self::KeepAlive),
            13 if name.eq_ignore_ascii_case(HOPS) => Self::Hops,
            14 if name.eq_ignore_ascii_case(WATCH) => Self::Watch,
            14 if name[0] | 0x20 == b'c' => is("content-length", Self::ContentLength),
            14 => is("http2-settings", Self::Http2Settings),
            15 => is("x-forwarded-for", Self::XForwardedFor),
            16 if name[0] | 0x20 == b'p' => is("proxy-connection", Self::ProxyConnection),
            16 if name[15] | 0x20 == b't' && name[12] | 0x20 == b'h' => {
                is("x-forwarded-host", Self::XForwardedHost)
            }
            16 => is("x-forwarded-port", Self::XForwardedPort),
            17 if name[0] | 0x20 == b't' => is("transfer-encoding", Self::TransferEncoding),
            17 if name[0] | 0x20 == b's' => is("sec-websocket-key", Self::WebSocketKey),
            17 => is("x-forwarded-proto", Self::XForwardedProto),
            _ => Self::Other,
        }
    }

    /// Whether it concerns one connection only, and never goes further.
    pub(super) fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Http2Settings
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
        )
    }

    /// Whether it may stand behind a body.
    pub(super) fn may_trail(self) -> bool {
        self == Self::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_known_in_any_case() {
        for (name, known) in [
            ("TE", Known::Te),
            ("Host", Known::Host),
            ("cookie", Known::Cookie),
            ("Expect", Known::Expect),
            ("UPGRADE", Known::Upgrade),
            ("Forwarded", Known::Forwarded),
            ("Connection", Known::Connection),
            ("Keep-Alive", Known::KeepAlive),
            ("X-Locald-Hops", Known::Hops),
            ("X-Locald-Watch", Known::Watch),
            ("Content-Length", Known::ContentLength),
            ("HTTP2-Settings", Known::Http2Settings),
            ("X-Forwarded-For", Known::XForwardedFor),
            ("Proxy-Connection", Known::ProxyConnection),
            ("X-Forwarded-Host", Known::XForwardedHost),
            ("X-Forwarded-Port", Known::XForwardedPort),
            ("Transfer-Encoding", Known::TransferEncoding),
            ("Sec-WebSocket-Key", Known::WebSocketKey),
            ("X-Forwarded-Proto", Known::XForwardedProto),
            ("Set-Cookie", Known::Other),
            ("X-Forwarded-Pont", Known::Other),
        ] {
            assert_eq!(Known::of(name.as_bytes()), known, "{name}");
        }
    }

    #[test]
    fn lists_are_split_and_trimmed() {
        let mut fields = Fields::default();
        fields.push(b"Connection", b"close ,, X-One");
        fields.push(b"connection", b"TE");
        assert!(fields.lists(Known::Connection, b"x-one"));
        assert!(fields.lists(Known::Connection, b"te"));
        assert!(!fields.lists(Known::Connection, b"x-on"));
    }
}
