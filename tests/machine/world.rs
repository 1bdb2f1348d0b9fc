//! A machine of the test's own: copies of what is changed, mounted where only the test sees them.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Who uses locald there; nobody has this user.
pub(crate) const USER: u32 = 54_323;

/// Before each script. `$l` is the program, `as` runs it as the user, `$top` is a folder for all.
const PRIVATE: &str = r#"set -eu; top=$1
mkdir "$top/etc"; cp -a /etc/. "$top/etc"; mount --bind "$top/etc" /etc; chmod 755 /etc
rm -rf /etc/locald; groupadd -f -g 54323 locald-test; useradd -M -d "$top/home" -u 54323 -g 54323 locald-test
# Where the hosts file is a mount of its own, ours covers it.
printf '127.0.0.1 localhost\n' > /etc/hosts; chmod 644 /etc/hosts
mkdir "$top/store"; cp -a /usr/local/share/ca-certificates/. "$top/store"
mount --bind "$top/store" /usr/local/share/ca-certificates
mkdir -p /usr/local/libexec; mount -t tmpfs -o mode=755 none /usr/local/libexec
ip link set lo up 2>/dev/null || true
echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind; echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind
echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start
l="$top/locald"; as() { setpriv --reuid 54323 --regid 54323 --clear-groups "$@"; }
set +e
"#;

/// A copy of the programs that anybody may run, and a home of the user's.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// None where there is no such store to test, or no right to.
    pub(crate) fn new() -> Option<Self> {
        let root = nix::unistd::geteuid().is_root();
        let debian = Path::new("/usr/sbin/update-ca-certificates").exists();
        let tools =
            ["/usr/bin/unshare", "/usr/bin/certutil", "/usr/bin/setpriv", "/usr/sbin/useradd"];
        let missing: Vec<_> = tools.into_iter().filter(|tool| !Path::new(tool).exists()).collect();
        if !root || !debian || !missing.is_empty() {
            let why = format!("root: {root}, Debian: {debian}, missing: {missing:?}");
            let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|it| it == "1");
            assert!(!strict, "cannot change a machine of our own ({why})");
            eprintln!("SKIPPED machine: {why}");
            return None;
        }
        let dir = tempfile::Builder::new().prefix("lm").tempdir_in("/tmp").unwrap();
        let world = Self { dir };
        fs::set_permissions(world.dir.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_locald"), world.at("locald")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_locald-shim"), world.at("locald-shim")).unwrap();
        fs::create_dir(world.at("home")).unwrap();
        Some(world)
    }

    /// The same, with a home that is the user's, and a project in it.
    pub(crate) fn with_project(name: &str, services: &str) -> Option<Self> {
        let world = Self::new()?;
        world.project(name, services);
        chown(world.at("home"), Some(USER), Some(USER)).unwrap();
        Some(world)
    }

    /// Adds a project to the home, in a folder of its name.
    pub(crate) fn project(&self, name: &str, services: &str) {
        let dir = self.at("home").join(name);
        fs::create_dir(&dir).unwrap();
        let text = format!("[project]\nname = \"{name}\"\n{services}");
        fs::write(dir.join("locald.toml"), text).unwrap();
        chown(&dir, Some(USER), Some(USER)).unwrap();
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a script as root there.
    pub(crate) fn run(&self, script: &str) -> Output {
        let script = format!("{PRIVATE}{script}");
        let out = Command::new("timeout")
            .args(["100", "unshare", "--net", "--mount", "--propagation", "private"])
            .args(["sh", "-c", &script, "sh"])
            .arg(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.at("home"))
            .env("LOCALD_HOME", self.at("home/locald"))
            .output()
            .unwrap();
        eprintln!("{}", String::from_utf8_lossy(&out.stderr));
        out
    }

    /// What a script says.
    pub(crate) fn says(&self, script: &str) -> String {
        String::from_utf8_lossy(&self.run(script).stdout).into_owned()
    }

    pub(crate) fn give_home_to(&self, user: u32) {
        chown(self.at("home"), Some(user), Some(user)).unwrap();
    }
}
