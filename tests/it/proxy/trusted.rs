//! `https://` without any flag: once trusted, for curl and for a browser.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use super::shop;
use crate::support::{Home, kernel, skip};

/// Goes on with a copy of what `trust` changes, so that the machine stays as it is.
const PRIVATE: &str = "set -eu
for place in /etc/ssl/certs /usr/local/share/ca-certificates; do
  copy=$HOME/stage$place
  mkdir -p $(dirname $copy)
  cp -a $place $copy
  mount --bind $copy $place
done
";

/// Runs a script as root in a mount namespace of its own; none where that cannot be done.
fn in_private(home: &Home, tools: &[&str], script: &str) -> Option<String> {
    let here = |tool: &&&str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|dir| is_program(&dir.join(tool)))
    };
    let all = ["unshare", "update-ca-certificates", "certutil"].iter().chain(tools);
    let missing: Vec<_> = all.filter(|tool| !here(tool)).collect();
    if !kernel::am_root() || !missing.is_empty() {
        skip(format_args!("root: {}, missing: {missing:?}", kernel::am_root()));
        return None;
    }
    let script = format!("{PRIVATE}locald={}\n{script}", home.binary().display());
    let run = home.program("unshare").args(["--mount", "--propagation", "private", "sh", "-c"]);
    Some(run.arg(script).ok().stdout)
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[test]
fn curl_needs_no_flag_and_every_url_becomes_https() {
    let home = Home::new();
    // Where it is, for the script; its own daemon is started in the script.
    let shop = shop(&home);
    home.stop_daemon();
    let script = "cd p/shop
        $locald up >/dev/null
        before=$($locald url); echo $before
        $locald trust >/dev/null
        after=$($locald url); echo $after
        curl -sS $after/x; echo
        curl -sS -o /dev/null -w '%{http_code} %{redirect_url}\\n' $before/x
        $locald trust --uninstall >/dev/null
        $locald url
        curl -sS $after/x 2>&1 | grep -o 'SSL certificate problem'
        $locald server stop >/dev/null";
    let Some(said) = in_private(&home, &["curl"], script) else { return };
    let lines: Vec<&str> = said.lines().collect();
    let [before, after, answer, redirect, again, problem] = lines[..] else { panic!("{said}") };
    assert!(before.starts_with("http://shop.localhost:"), "{said}");
    assert!(after.starts_with("https://shop.localhost:"), "{said}");
    assert_eq!(answer, "web /x");
    assert_eq!(redirect, format!("308 {after}/x"));
    assert_eq!((again, problem), (before, "SSL certificate problem"));
    drop(shop);
}

#[test]
fn a_browser_needs_no_flag() {
    let home = Home::new();
    let shop = shop(&home);
    home.stop_daemon();
    let script = "cd p/shop
        $locald trust >/dev/null
        $locald up >/dev/null
        url=$($locald url); echo $url
        env -u LOCALD_HOME timeout 50 chromium --headless --no-sandbox --disable-gpu \
            --no-first-run --disable-background-networking --disable-component-update \
            --disable-sync --user-data-dir=$HOME/chromium --dump-dom $url/x 2>$HOME/chromium.log \
            || { cat $HOME/chromium.log >&2; exit 1; }
        $locald server stop >/dev/null";
    let Some(said) = in_private(&home, &["chromium"], script) else { return };
    assert!(said.starts_with("https://shop.localhost:"), "{said}");
    assert!(said.contains("web /x"), "{said}");
    drop(shop);
}
