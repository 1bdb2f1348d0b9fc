//! The global `config.toml` (SPEC §1).

use std::time::Duration;

use toml::de::DeValue;

use super::{
    keys, parse,
    reader::{Item, Reader, Section},
};
use crate::core::{diagnostic::Diagnostic, near::quoted};

/// The settings of a user, for all projects.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Global {
    /// The proxy.
    pub proxy: Proxy,
    /// The logs of services.
    pub logs: Logs,
}

/// `[proxy]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proxy {
    /// The port of HTTP; 0: any free one.
    pub http_port: u16,
    /// The port of HTTPS; 0: any free one.
    pub https_port: u16,
    /// The ports of HTTP and HTTPS when the right ones are not to be had.
    pub fallback_ports: [u16; 2],
    /// Whether HTTP leads to HTTPS.
    pub redirect_https: Redirect,
    /// How long a request waits for a service.
    pub hold: Duration,
    /// The top-level domains of projects.
    pub tlds: Vec<String>,
}

/// When HTTP leads to HTTPS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirect {
    /// Once the CA is trusted.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `[logs]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Logs {
    /// The bytes of a file before it is rotated.
    pub max_size: u64,
    /// Rotated files that are kept of each service.
    pub keep: u32,
}

/// Reads a global configuration; an empty one is all defaults.
pub fn parse_global(text: &str) -> Result<Global, Vec<Diagnostic>> {
    let tree = parse::tree(text).map_err(|wrong| vec![wrong])?;
    let mut reader = Reader::new(text);
    let root = reader.section(&tree, keys::GLOBAL, "the file");
    let mut global = Global::default();
    if let Some(table) = root.get("proxy").and_then(|item| reader.table(item)) {
        let section = reader.section(table, keys::PROXY, "`[proxy]`");
        global.proxy = proxy(&mut reader, &section);
    }
    if let Some(table) = root.get("logs").and_then(|item| reader.table(item)) {
        let section = reader.section(table, keys::LOGS, "`[logs]`");
        global.logs = logs(&mut reader, &section);
    }
    let mut found = reader.found;
    found.sort_by_key(Diagnostic::offset);
    if found.is_empty() { Ok(global) } else { Err(found) }
}

fn proxy(reader: &mut Reader<'_>, section: &Section<'_>) -> Proxy {
    let default = Proxy::default();
    let port = |reader: &mut Reader<'_>, key| {
        section.get(key).and_then(|item| reader.whole(item, 0, u16::MAX))
    };
    let redirect = section.get("redirect_https");
    let redirect = redirect.and_then(|item| reader.word(item, keys::REDIRECTS));
    let tlds = section.get("tlds").and_then(|item| tlds(reader, item));
    Proxy {
        http_port: port(reader, "http_port").unwrap_or(default.http_port),
        https_port: port(reader, "https_port").unwrap_or(default.https_port),
        fallback_ports: section
            .get("fallback_ports")
            .and_then(|item| two_ports(reader, item))
            .unwrap_or(default.fallback_ports),
        redirect_https: redirect.map_or(default.redirect_https, |word| {
            [Redirect::Auto, Redirect::Always, Redirect::Never][word]
        }),
        hold: section.get("hold").and_then(|item| reader.duration(item)).unwrap_or(default.hold),
        tlds: tlds.unwrap_or(default.tlds),
    }
}

fn logs(reader: &mut Reader<'_>, section: &Section<'_>) -> Logs {
    let default = Logs::default();
    let max_size = section.get("max_size").and_then(|item| size(reader, item));
    let keep = section.get("keep").and_then(|item| reader.whole(item, 0, 1000));
    Logs { max_size: max_size.unwrap_or(default.max_size), keep: keep.unwrap_or(default.keep) }
}

fn two_ports(reader: &mut Reader<'_>, item: Item<'_>) -> Option<[u16; 2]> {
    let items: Vec<_> = reader.list(item)?.collect();
    let Ok([http, https]) = <[Item<'_>; 2]>::try_from(items) else {
        reader.refuse(item, "expects two ports, of HTTP and of HTTPS");
        return None;
    };
    let http = reader.whole(http, 0, u16::MAX);
    let https = reader.whole(https, 0, u16::MAX);
    Some([http?, https?])
}

fn tlds(reader: &mut Reader<'_>, item: Item<'_>) -> Option<Vec<String>> {
    let items: Vec<_> = reader.list(item)?.collect();
    if items.is_empty() {
        reader.refuse(item, "cannot be empty");
        return None;
    }
    let mut tlds = Vec::new();
    for item in items {
        let text = reader.text(item)?;
        let label = text.value.trim_start_matches('.');
        match super::domain::read_label(label) {
            None => tlds.push(label.to_owned()),
            Some(why) => {
                let message = format!("{} is not a top-level domain: {why}", quoted(text.value));
                reader.report(Diagnostic::at(text.range, message));
            }
        }
    }
    Some(tlds)
}

/// A size of at least 1 KB: a number of bytes, or `"10MB"`, `"512KiB"`.
fn size(reader: &mut Reader<'_>, item: Item<'_>) -> Option<u64> {
    const LEAST: u64 = 1000;
    const MOST: u64 = 1 << 50;
    let bytes = match item.value.get_ref() {
        DeValue::Integer(_) => reader.whole(item, 0, i64::MAX)?.unsigned_abs(),
        DeValue::String(text) => match bytes_of(text) {
            Some(bytes) => bytes,
            None => return reader.wrong(item, "a size such as \"10MB\""),
        },
        _ => return reader.wrong(item, "a size such as \"10MB\""),
    };
    if (LEAST..=MOST).contains(&bytes) {
        return Some(bytes);
    }
    reader.refuse(item, "must be between 1KB and 1024TiB");
    None
}

fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KB" | "kB" | "K" => 1000,
        "KiB" => 1 << 10,
        "MB" | "M" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" | "G" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            http_port: 80,
            https_port: 443,
            fallback_ports: [8080, 8443],
            redirect_https: Redirect::Auto,
            hold: Duration::from_secs(30),
            tlds: vec!["localhost".to_owned()],
        }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self { max_size: 10_000_000, keep: 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        let found = parse_global(text).unwrap_err();
        found.into_iter().map(|wrong| wrong.message + "\n").collect()
    }

    #[test]
    fn an_empty_file_is_the_documented_one() {
        let documented = r#"
            [proxy]
            http_port = 80
            https_port = 443
            fallback_ports = [8080, 8443]
            redirect_https = "auto"
            hold = "30s"
            tlds = ["localhost"]
            [logs]
            max_size = "10MB"
            keep = 3
        "#;
        assert_eq!(parse_global(documented), Ok(Global::default()));
        assert_eq!(parse_global(""), Ok(Global::default()));
    }

    #[test]
    fn values_are_kept() {
        let text =
            "[proxy]\nhttp_port = 0\nredirect_https = \"never\"\n[logs]\nmax_size = \"2 MiB\"";
        let global = parse_global(text).unwrap();
        assert_eq!(global.proxy.http_port, 0);
        assert_eq!(global.proxy.redirect_https, Redirect::Never);
        assert_eq!(global.logs.max_size, 2 << 20);
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let text = "[proxy]\nhttp_prot = 1\nhttps_port = 65536\nfallback_ports = [1]\n\
                    redirect_https = \"yes\"\ntlds = [\"a b\"]\n[logs]\nmax_size = \"big\"\nkeep = -1";
        let errors = errors(text);
        assert_eq!(errors.lines().count(), 7, "{errors}");
        assert!(errors.starts_with("unknown key `http_prot` in `[proxy]`\n"), "{errors}");
    }
}
