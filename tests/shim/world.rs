//! A root folder with a hosts file, a store and the shim in it, in namespaces of its own.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

#[path = "../../shim/tests/support/certs.rs"]
mod certs;

use crate::example;

pub(crate) use certs::CA;

/// Who calls in the world.
const USER: u32 = 1234;

/// Builds the root folder and goes there; nothing of it is seen from outside.
const BUILD: &str = r#"set -eu
top=$1; script=$2; mine=$3; cd "$top/root"
mount -t tmpfs -o mode=755 none .; cd "$top/root"
mkdir -p usr/bin usr/lib usr/sbin usr/local/share/ca-certificates usr/local/libexec usr/local/bin \
    proc dev etc/locald mnt certs tmp
mount --bind /usr/bin usr/bin; mount --rbind /usr/lib usr/lib; mount --rbind /proc proc
for link in bin sbin lib lib64; do
    case "$(readlink "/$link")" in usr/*) ln -s "$(readlink "/$link")" $link;; esac
done
if [ -d /usr/lib64 ] && [ ! -L /usr/lib64 ]; then mkdir usr/lib64; mount --bind /usr/lib64 usr/lib64; fi
touch dev/null dev/full dev/zero dev/urandom
for device in null full zero urandom; do mount --bind /dev/$device dev/$device; done
chmod 1777 tmp; mkfifo fifo
cp "$top/certs/"* certs; cp "$top/caller" usr/local/bin/caller
cp "$top/locald-shim" usr/local/libexec; chown 0:0 usr/local/libexec/locald-shim; chmod 4755 usr/local/libexec/locald-shim
printf '127.0.0.1 localhost\n' > etc/hosts; printf '1234\n' > etc/locald/allowed-uids
cat > usr/sbin/update-ca-certificates <<'END'
#!/bin/sh
umask=$(umask) fds=
for fd in 0 1 2 3 4 5 6; do [ ! -e /proc/$$/fd/$fd ] || fds="$fds$fd $(readlink /proc/$$/fd/$fd)
"; done
{
    sed -n 's/^Uid:\t//p' /proc/$$/status | tr '\t' ' '; grep ^Groups: /proc/$$/status | tr -d ' '
    echo "args: $*"; tr '\0' '\n' < /proc/$$/environ | grep -v '^_=' | sort
    echo PWD="$PWD"
    printf %s "$fds"
    echo "umask $umask in $(pwd)"
} > /helper-ran 2>&1
[ ! -e /fail ] || exit 3
END
chmod 755 usr/sbin/update-ca-certificates
for family in ipv4 ipv6; do
    echo 1 > proc/sys/net/$family/ip_nonlocal_bind
done
cat > script <<'END'
shim=/usr/local/libexec/locald-shim
PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
END
if [ "$mine" = 0 ]; then echo 'as() { "$@"; }' >> script
else echo 'who=1234; as() { setpriv --reuid $who --regid $who --clear-groups "$@"; }' >> script; fi
cat "$script" >> script
exec chroot . /bin/sh /script
"#;

/// The world, and who calls there.
pub(crate) struct World {
    dir: tempfile::TempDir,
    uid: u32,
}

impl World {
    /// One with another user if we are root, one in a user namespace if there are any.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        if nix::unistd::geteuid().is_root() {
            all.extend(Self::new(USER));
        }
        all.extend(Self::new(0));
        let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|it| it == "1");
        assert!(!strict || all.iter().any(|world| world.uid != 0), "it takes root");
        if all.is_empty() {
            eprintln!("SKIPPED shim: neither root nor user namespaces");
        }
        all
    }

    fn new(uid: u32) -> Option<Self> {
        let dir = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir();
        let world = Self { dir: dir.unwrap(), uid };
        let caller = example::built("shimcall", &["shimcall.rs"]);
        fs::copy(env!("CARGO_BIN_EXE_locald-shim"), world.at("locald-shim")).unwrap();
        fs::copy(caller, world.at("caller")).unwrap();
        fs::create_dir(world.at("root")).unwrap();
        fs::create_dir(world.certs()).unwrap();
        fs::write(world.certs().join("good.der"), certs::good()).unwrap();
        for (what, _, der) in certs::bad() {
            fs::write(world.certs().join(format!("bad-{what}.der")), der).unwrap();
        }
        fs::write(world.at("build"), BUILD).unwrap();
        fs::write(world.at("script"), "echo there").unwrap();
        let works = world.command().output().is_ok_and(|out| out.stdout == b"there\n");
        if !works {
            eprintln!("SKIPPED shim: no world for user {uid}");
        }
        works.then_some(world)
    }

    /// Who calls.
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// Where the certificates are, outside.
    pub(crate) fn certs(&self) -> PathBuf {
        self.at("certs")
    }

    /// Of the good one.
    pub(crate) fn fingerprint(&self) -> String {
        locald_shim::cert::fingerprint(&fs::read(self.certs().join("good.der")).unwrap())
    }

    /// Runs a script as root of the world; what it says.
    pub(crate) fn run(&self, script: &str) -> String {
        fs::write(self.at("script"), script).unwrap();
        let out = self.command().output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        if !said.is_empty() {
            eprintln!("user {}: {said}", self.uid);
        }
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn command(&self) -> Command {
        let root = nix::unistd::geteuid().is_root();
        let words: &[&str] = match (self.uid, root) {
            (0, true) => &[
                "setpriv",
                "--reuid",
                "1234",
                "--regid",
                "1234",
                "--clear-groups",
                "unshare",
                "-Urnm",
            ],
            (0, false) => &["unshare", "-Urnm"],
            _ => &["unshare", "-nm"],
        };
        let mut command = Command::new("timeout");
        command.args(["60"]).args(words).args(["sh"]).arg(self.at("build")).arg(self.dir.path());
        command.arg(self.at("script")).arg(self.uid.to_string());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}
