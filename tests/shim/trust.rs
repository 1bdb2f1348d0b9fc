//! `trust install` and `trust uninstall`.

use std::fs;

use crate::world::{CA, World};

#[test]
fn only_a_harmless_root_is_installed_and_only_its_owner_takes_it_out() {
    for world in World::all() {
        let uid = world.uid();
        let out = world.run(
            "store=/usr/local/share/ca-certificates
            for bad in /certs/bad-*.der; do
                as caller call $shim trust install < $bad | grep -v '^reply no '
            done
            ls $store; ls /helper-ran 2>/dev/null
            as caller call $shim trust install < /certs/good.der
            as caller call $shim trust install < /certs/good.der
            ls $store; cat $store/* | openssl x509 -outform der | cmp - /certs/good.der && echo same
            for body in ../../../../etc/hosts \"$(printf '%064d' 0)\" ''; do
                printf \"$body\" | as caller call $shim trust uninstall
            done
            printf CODE > /tmp/x; cp $store/* $store/locald-99-$FP.crt
            printf $FP | as caller call $shim trust uninstall
            ls $store; cat /helper-ran | grep args"
                .replace("$FP", &world.fingerprint())
                .as_str(),
        );
        let bad = fs::read_dir(world.certs()).unwrap().count() - 1;
        let good = "exit 0\nreply ok\n";
        let fp = world.fingerprint();
        let wanted = "exit 1\n".repeat(bad)
            + &good.repeat(2)
            + &format!("locald-{uid}-{fp}.crt\nsame\n")
            + "exit 1\nreply no it is not a fingerprint\n"
            + "exit 1\nreply no there is no such root of yours\n"
            + "exit 1\nreply no cannot read the request: EAGAIN: Try again\n"
            + good
            + &format!("locald-99-{fp}.crt\nargs: --fresh\n");
        assert_eq!(out, wanted);
        assert!(bad >= 15, "{bad}");
    }
}

#[test]
fn a_helper_that_fails_is_taken_back() {
    for world in World::all() {
        let out = world.run(
            "touch /fail; as caller call $shim trust install < /certs/good.der
            ls /usr/local/share/ca-certificates; grep -c args /helper-ran
            rm /usr/sbin/update-ca-certificates; as caller call $shim trust install < /certs/good.der
            cp $shim /usr/sbin/update-ca-certificates; chmod 777 /usr/sbin/update-ca-certificates
            as caller call $shim trust install < /certs/good.der",
        );
        let failed = "reply no /usr/sbin/update-ca-certificates exited 3; nor can it be taken back";
        assert!(out.starts_with(&format!("exit 1\n{failed}")), "{out}");
        let none = "exit 1\nreply no this system has no store that is known and that only root can change\n";
        assert!(out.ends_with(&format!("\n1\n{none}{none}")), "{out}");
    }
}

#[test]
fn nobody_fills_the_store() {
    for world in World::all() {
        let out = world.run(
            "cd /usr/local/share/ca-certificates
            for other in 1 2 3 4 5 6 7 8; do touch locald-UID-$other.crt locald-99-$other.crt; done
            as caller call $shim trust install < /certs/good.der; rm locald-UID-8.crt
            as caller call $shim trust install < /certs/good.der
            as caller call $shim trust install < /certs/good.der; ls | wc -l"
                .replace("UID", &world.uid().to_string())
                .as_str(),
        );
        let many = "exit 1\nreply no there are too many roots of yours: uninstall some\n";
        assert_eq!(out, many.to_owned() + &"exit 0\nreply ok\n".repeat(2) + "16\n");
    }
}

#[test]
fn the_ca_of_locald_is_one() {
    assert!(CA.starts_with(locald_shim::cert::NAME));
}
