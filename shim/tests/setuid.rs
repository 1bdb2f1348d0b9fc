//! The shim for real: setuid, called by another user, in a root folder of its own, so that nothing of this
//! machine is touched; and by the root of a user namespace, where that is all there is.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are outside, where programs are run and failures are told"
)]

#[path = "support/world.rs"]
mod world;

use std::fs;

use world::{CA, World};

const SHOP: &str = "127.0.0.1 shop.localhost\n::1 shop.localhost\n";

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
fn both_ports_come_as_listening_sockets_of_this_machine() {
    for world in World::all() {
        let out = world.run(
            "printf '443\\n80\\n' | as caller call $shim bind
            printf 443 | as caller call $shim bind
            for body in '' 8080 '80 443' '0\\n80' '80\\n\\n443'; do
                printf \"$body\" | as caller call $shim bind
            done",
        );
        let both = "exit 0\nreply ok|80 2|443 2\nfd 127.0.0.1:80 true\nfd [::1]:80 true\n\
                    fd 127.0.0.1:443 true\nfd [::1]:443 true\n";
        let one = "exit 0\nreply ok|443 2\nfd 127.0.0.1:443 true\nfd [::1]:443 true\n";
        assert!(out.starts_with(&format!("{both}{one}")), "{out}");
        // An empty request cannot be told from no request: nobody waits for it for long.
        assert_eq!(out.matches("exit 1\n").count(), 5, "{out}");
        assert!(!out.contains(":8080") && !out.contains("0.0.0.0"), "{out}");
    }
}

#[test]
fn a_port_that_is_taken_does_not_keep_the_other_away() {
    for world in World::all() {
        let out = world.run(
            "python3 -c 'import socket,subprocess; s=socket.create_server((\"127.0.0.1\",80)); print(flush=True); input()' \
                < /fifo > /taken & exec 9> /fifo; until [ -s /taken ]; do sleep 0.01; done
            printf '443\\n80\\n' | as caller call $shim bind; exec 9>&-; wait",
        );
        assert!(out.contains("80 no ") && out.contains("443 2\nfd 127.0.0.1:443 true"), "{out}");
    }
}

#[test]
fn names_come_and_go_and_nothing_else_changes() {
    for world in World::all() {
        let out = world.run(
            "printf '127.0.0.1 localhost\\r\\n# mine' > /etc/hosts; chmod 600 /etc/hosts; cp /etc/hosts /before
            printf 'shop.localhost\\n' | as caller call $shim hosts sync
            cat /etc/hosts; stat -c '%a %u %h' /etc/hosts; ls -A /etc
            printf 'shop.localhost' | as caller call $shim hosts sync
            grep -c shop /etc/hosts
            as caller call $shim hosts sync < /dev/null
            printf '\\n' | as caller call $shim hosts sync
            cmp /before /etc/hosts && echo same",
        );
        let uid = world.uid();
        let block = format!("# locald {uid} begin (joined)\n{SHOP}# locald {uid} end\n");
        let good = "exit 0\nreply ok\n";
        let before = "127.0.0.1 localhost\r\n# mine\n";
        assert_eq!(
            out,
            format!(
                "{good}{before}{block}600 0 1\nhosts\nlocald\n{good}2\nexit 1\n\
                 reply no cannot read the request: EAGAIN: Try again\n{good}same\n"
            )
        );
    }
}

#[test]
fn no_line_but_names_below_our_domains_gets_in() {
    for world in World::all() {
        let out = world.run(
            "printf 'test\\n' > /etc/locald/allowed-tlds; cp /etc/hosts /before
            for body in 'x.localhost\\n\\n6.6.6.6 bank.com' 'bank.com' 'localhost' 'a b.localhost' 'X.localhost' \\
                '-x.localhost' 'x..localhost' 'x.localhost#' 'x.localhost\\r' 'xlocalhost' 'a_b.localhost' \\
                'test' '*.test' \"$(printf '%064d' 1).test\"; do
                printf -- \"$body\" | as caller call $shim hosts sync | grep -v '^reply no'
            done
            python3 -c 'print(\"\\n\".join(f\"a{i}.test\" for i in range(513)))' | as caller call $shim hosts sync
            head -c 200000 /dev/zero | as caller call $shim hosts sync
            cmp /before /etc/hosts && echo same
            python3 -c 'print(\"\\n\".join(f\"a{i}.test\" for i in range(512)))' | as caller call $shim hosts sync
            grep -c 'a.*test' /etc/hosts",
        );
        let many = "exit 1\nreply no these are too many names\n";
        let long = "exit 1\nreply no the request is too long\n";
        let wanted = "exit 1\n".repeat(14) + many + long + "same\nexit 0\nreply ok\n1024\n";
        assert_eq!(out, wanted);
    }
}

#[test]
fn a_hosts_file_that_is_not_one_is_refused_and_left() {
    for world in World::all() {
        let out = world.run(
            "try() { printf 'shop.localhost\\n' | as caller call $shim hosts sync; rm -f /etc/hosts; }
            echo secret > /etc/target
            ln -sf target /etc/hosts; try; cat /etc/target
            ln -f /etc/target /etc/hosts; try; cat /etc/target
            mkfifo /etc/hosts; try
            touch /etc/hosts; chmod 666 /etc/hosts; try
            truncate -s 2M /etc/hosts; try
            printf '# locald 1 begin\\n' > /etc/hosts; try
            printf 'a\\0b\\n' > /etc/hosts; try
            try
            echo mounted > /other; chmod 644 /other; touch /etc/hosts; mount --bind /other /etc/hosts; try 2>/dev/null; cat /other; umount /etc/hosts
            chmod 777 /etc; try; chmod 755 /etc
            ls -A /etc",
        );
        let refused: Vec<&str> = out.lines().filter(|line| !line.starts_with("exit 1")).collect();
        assert_eq!(
            refused,
            [
                "reply no cannot open hosts: ELOOP: Too many symbolic links encountered",
                "secret",
                "reply no hosts is not a regular file with one name",
                "secret",
                "reply no hosts is not a regular file with one name",
                "reply no others than root can change hosts",
                "reply no /etc/hosts is too large",
                "reply no the marks of a block in the hosts file are broken",
                "reply no the hosts file is no text",
                "reply no there is no /etc/hosts",
                "reply no cannot replace hosts: it is a mount of its own",
                "mounted",
                if world.uid() == 0 {
                    "reply no others than root can change /etc/locald"
                } else {
                    "no reply"
                },
                "locald",
                "target",
            ]
        );
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
fn who_is_not_on_the_list_is_turned_away() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "try() { printf 'shop.localhost\\n' | as \"$@\" $shim hosts sync 2>&1; }
            who=1235; try caller call; who=1234
            rm /etc/locald/allowed-uids; try caller call
            for list in '' 12340 '1234 ' '01234' '+1234' '0x4d2' 'tester' '1234\\n1235x' '1234,1235' '4294967295\\n1234'; do
                printf \"$list\" > /etc/locald/allowed-uids; try caller call
            done
            printf '1\\n1234\\n' > /etc/locald/allowed-uids; chmod 664 /etc/locald/allowed-uids; try caller call
            chmod 644 /etc/locald/allowed-uids; chown 1234 /etc/locald/allowed-uids; try caller call
            mv /etc/locald/allowed-uids /list; chown 0 /list; ln -s /list /etc/locald/allowed-uids; try caller call
            rm /etc/locald/allowed-uids; mv /list /etc/locald/allowed-uids
            chmod 777 /etc/locald; try caller call; chmod 755 /etc/locald
            grep -c shop /etc/hosts; SUDO_UID=0 try caller call",
        );
        assert_eq!(out.matches("exit 1\nno reply\n").count(), 16, "{out}");
        assert!(out.ends_with("no reply\n0\nexit 0\nreply ok\n"), "{out}");
    }
}

#[test]
fn only_a_socket_of_the_caller_s_own_is_read() {
    for world in World::all() {
        let out = world.run(
            "printf 80 | as caller stream $shim bind 2>&1
            printf 80 | as $shim bind 2>&1; echo $?
            as $shim bind < /dev/null 2>&1; echo $?",
        );
        let why = "standard input is not a SEQPACKET socket of yours\n";
        assert_eq!(out, format!("{why}exit 1\nno reply\n{why}1\n{why}1\n"));
    }
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        // A socket that root made, handed down.
        let out = world
            .run("printf 80 | caller call setpriv --reuid 1234 --clear-groups $shim bind 2>&1");
        assert_eq!(out, "standard input is not a SEQPACKET socket of yours\nexit 1\nno reply\n");
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
fn a_killed_call_leaves_files_whole() {
    for world in World::all() {
        let out = world.run(
            "echo 127.0.0.1 localhost > /etc/hosts; cp /etc/hosts /a
            printf 'shop.localhost\\n' > /one; python3 -c 'print(\"\\n\".join(f\"a{i}.localhost\" for i in range(512)))' > /many
            caller call $shim hosts sync < /one > /dev/null; cp /etc/hosts /b
            caller call $shim hosts sync < /many > /dev/null; cp /etc/hosts /c
            for turn in $(seq 40); do
                for body in /one /many; do
                    caller call timeout -s KILL 0.00$((turn % 10))$((turn / 4)) $shim hosts sync < $body > /dev/null
                    cmp -s /etc/hosts /b || cmp -s /etc/hosts /c || { echo broken; cat /etc/hosts; exit; }
                done
            done
            caller call $shim hosts sync < /one; cmp /etc/hosts /b && ls -A /etc",
        );
        assert_eq!(out, "exit 0\nreply ok\nhosts\nlocald\n");
    }
}

#[test]
fn calls_at_the_same_time_do_not_hurt_one_another() {
    for world in World::all() {
        let out = world.run(
            "for turn in 1 2 3 4 5 6 7 8; do
                printf \"a$turn.localhost\\n\" | as caller call $shim hosts sync > /out$turn & all=\"$all $!\"
            done; wait $all
            cat /out*; wc -l < /etc/hosts; ls -A /etc",
        );
        assert_eq!(out, "exit 0\nreply ok\n".repeat(8) + "5\nhosts\nlocald\n");
    }
}

#[test]
fn the_caller_can_neither_signal_it_nor_hold_its_lock() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "printf '#!/bin/sh\\nread x < /fifo\\n' > /usr/sbin/update-ca-certificates
            as caller call /bin/sh -c 'echo $$ > /tmp/pid; exec /usr/local/libexec/locald-shim trust install' \
                < /certs/good.der > /out & waiting=$!
            exec 9> /fifo
            for signal in KILL STOP ALRM; do as kill -$signal $(cat /tmp/pid) 2>&1 | grep -o 'not permitted'; done
            as cat /proc/$(cat /tmp/pid)/environ 2>&1 | grep -o denied
            as flock -n /etc/locald/.lock true 2>&1 | grep -o denied
            echo go >&9; exec 9>&-; wait $waiting; cat /out",
        );
        let refused = "not permitted\n".repeat(3) + "denied\ndenied\n";
        assert_eq!(out, refused + "exit 0\nreply ok\n");
    }
}

#[test]
fn each_word_is_written_by_the_caller() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        // Peers see who had the socket: for a FIFO it is whose limit on pipes counts, for /proc who writes. What
        // only root may write there must stay as it is.
        let out = world.run(
            "before=$(cat /proc/self/oom_score_adj)
            as sh -c 'exec /usr/local/libexec/locald-shim 2> /proc/self/oom_score_adj'
            as sh -c 'exec /usr/local/libexec/locald-shim bind 2> /proc/self/uid_map < /dev/null'
            [ \"$before\" = \"$(cat /proc/self/oom_score_adj)\" ] && echo same
            : > /tmp/said; chown 1234 /tmp/said; as sh -c 'exec /usr/local/libexec/locald-shim bind 2>> /tmp/said < /dev/null'
            grep -c SEQPACKET /tmp/said",
        );
        assert_eq!(out, "same\n1\n");
    }
}

#[test]
fn each_operation_is_logged() {
    for world in World::all() {
        let uid = world.uid();
        let out = world.run(
            "timeout 3 caller log > /logged & until [ -s /logged ]; do sleep 0.01; done
            printf 'shop.localhost\\n' | as caller call $shim hosts sync > /dev/null
            printf 'bank.com\\n' | as caller call $shim hosts sync > /dev/null
            printf '80\\n' | as caller call $shim bind > /dev/null
            until [ $(grep -c result /logged) = 3 ]; do sleep 0.01; done; sed 's/\\[.*\\]//' /logged",
        );
        let line = |what: &str| format!("log <85>locald-shim: uid={uid} operation={what}\n");
        let refused = "it is not a list of names of hosts below the allowed top-level domains";
        let wanted = "listening\n".to_owned()
            + &line("\"hosts sync\" result=\"ok\"")
            + &line(&format!("\"hosts sync\" result=\"{refused}\""))
            + &line("\"bind\" result=\"ok\"");
        assert_eq!(out, wanted);
    }
}

#[test]
fn the_ca_of_locald_is_one() {
    assert!(CA.starts_with(locald_shim::cert::NAME));
}
