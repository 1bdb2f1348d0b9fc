//! What a caller hands down besides its request, and what becomes of it.

use crate::world::World;

#[test]
fn only_the_exact_words_of_an_operation_are_taken() {
    for world in World::all() {
        let out = world.run(
            "for words in '' bind0 'bind bind' 'hosts' 'hosts sync x' '--help' 'trust install /etc/shadow'; do
                as caller call $shim $words 2>&1 | grep -v usage
            done
            as caller nameless $shim 2>&1 | cut -c1-5
            echo | as $shim hello",
        );
        let hello = "locald-shim 0.1.0 protocol 1-1 bind trust hosts\n";
        assert_eq!(out, "exit 2\nno reply\n".repeat(7) + "usage\n" + hello);
    }
}

#[test]
fn nothing_of_the_caller_s_surroundings_matters() {
    for world in World::all() {
        let out = world.run(
            "mkdir -m 777 /evil; printf '#!/bin/sh\\ntouch /evil/ran\\n' > /evil/update-ca-certificates
            cp /evil/update-ca-certificates /evil/sh; cp /evil/sh /evil/cat; cp /evil/sh /evil/id; chmod 755 /evil/*
            cat > /attack <<'END'
export PATH=/evil LD_PRELOAD=/evil/x.so LD_LIBRARY_PATH=/evil LD_AUDIT=/evil/x.so GLIBC_TUNABLES=glibc.malloc.check=3 IFS=/ \
    TMPDIR=/evil HOME=/evil BASH_ENV=/evil/sh ENV=/evil/sh RUST_BACKTRACE=full LC_ALL=xx OPENSSL_CONF=/evil/x PERL5LIB=/evil
cd /evil; umask 0777; ulimit -c unlimited 2>/dev/null; exec 5< /etc/passwd 6< /etc/passwd
exec /usr/local/libexec/locald-shim trust install 1>&- 2>/evil/said
END
            touch /etc/passwd
            as caller call /bin/sh /attack < /certs/good.der
            ls -A /evil; cat /helper-ran; stat -c %a /usr/local/share/ca-certificates/*.crt",
        );
        let helper = "0 0 0 0\nGroups:\nargs: \nHOME=/\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n\
                      0 /dev/null\n1 /dev/null\n2 /dev/null\numask 0022 in /\n";
        let out = out.replace("Groups: \n", "Groups:\n").replace("Groups:\t\n", "Groups:\n");
        let wanted =
            format!("exit 0\nreply ok\ncat\nid\nsaid\nsh\nupdate-ca-certificates\n{helper}644\n");
        let tail = |text: &str| text.split("Groups:").map(str::to_owned).collect::<Vec<_>>();
        if world.uid() == 0 {
            // Groups of a namespace cannot be dropped.
            assert_eq!(
                out.lines().take(7).collect::<Vec<_>>(),
                wanted.lines().take(7).collect::<Vec<_>>()
            );
            assert_eq!(
                tail(&out)[1].split_once('\n').unwrap().1,
                tail(&wanted)[1].split_once('\n').unwrap().1
            );
        } else {
            assert_eq!(out, wanted);
        }
    }
}

#[test]
fn limits_and_closed_descriptors_break_nothing() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "names() { printf 'shop.localhost\\n' | as caller call /bin/sh -c \"$1\"; grep -c shop /etc/hosts; }
            names 'ulimit -S -f 0; exec /usr/local/libexec/locald-shim hosts sync'
            names 'ulimit -S -n 4; exec /usr/local/libexec/locald-shim hosts sync'
            names 'exec /usr/local/libexec/locald-shim hosts sync 1>&- 2>&-'
            names 'ulimit -S -t 1; ulimit -S -v 100000; exec /usr/local/libexec/locald-shim hosts sync 2>&-'
            names 'exec env --block-signal --ignore-signal=HUP,PIPE,XFSZ /usr/local/libexec/locald-shim hosts sync'
            names 'exec /usr/local/libexec/locald-shim hosts sync 0<&- 1>&- 2>&-'
            names 'exec env --ignore-signal=ALRM /usr/local/libexec/locald-shim hosts sync 2>&1'
            names 'exec env --ignore-signal=CHLD /usr/local/libexec/locald-shim hosts sync 2>&1'",
        );
        let good = "exit 0\nreply ok\n2\n";
        let ignores = "its caller ignores SIGALRM or SIGCHLD\n";
        assert_eq!(out.replace(ignores, ""), good.repeat(5) + &"exit 1\nno reply\n2\n".repeat(3));
        assert_eq!(out.matches(ignores).count(), 2);
    }
}

#[test]
fn limits_that_even_root_may_not_raise_are_refused_and_nothing_is_cut() {
    for world in World::all() {
        let out = world.run(
            "cp /etc/hosts /a; printf 'shop.localhost\\n' | as caller call $shim hosts sync > /dev/null; cp /etc/hosts /b
            as caller call $shim hosts sync < /dev/null > /dev/null
            for limit in 'f 0' 'n 3' 't 1' 'v 100000'; do
                printf '\\n' | as caller call $shim hosts sync > /dev/null; cmp /a /etc/hosts
                printf 'shop.localhost\\n' | as caller call /bin/sh -c \
                    \"ulimit -$limit; exec /usr/local/libexec/locald-shim hosts sync 2>&-\" > /out 2>&1
                if grep -q 'reply ok' /out; then cmp /b /etc/hosts; else cmp /a /etc/hosts; fi
            done; ls -A /etc; echo end",
        );
        assert_eq!(out, "hosts\nlocald\nend\n");
    }
}

#[test]
fn without_root_it_says_why() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "as caller call setpriv --no-new-privs $shim bind 2>&1 < /dev/null
            chmod 755 $shim; as caller call $shim bind 2>&1 < /dev/null; chmod 4755 $shim
            mount -t tmpfs -o mode=755,nosuid none /mnt; cp $shim /mnt/shim; chmod 4755 /mnt/shim
            as caller call /mnt/shim bind 2>&1 < /dev/null",
        );
        let said: Vec<&str> =
            out.lines().filter(|line| line.starts_with("it is not root")).collect();
        let [new, bit, nosuid] = said[..] else { panic!("{out}") };
        assert!(
            new.contains("no_new_privs") && bit.contains("4755") && nosuid.contains("nosuid"),
            "{out}"
        );
        assert_eq!(out.matches("exit 1\nno reply\n").count(), 3, "{out}");
    }
}
