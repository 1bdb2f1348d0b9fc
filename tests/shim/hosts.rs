//! `hosts sync`.

use crate::world::World;

const SHOP: &str = "127.0.0.1 shop.localhost\n::1 shop.localhost\n";

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
            printf '# locald UID begin\\n' > /etc/hosts; try
            printf 'a\\0b\\n' > /etc/hosts; try
            try
            echo mounted > /other; chmod 644 /other; touch /etc/hosts; mount --bind /other /etc/hosts; try 2>/dev/null; cat /other; umount /etc/hosts
            chmod 777 /etc; try; chmod 755 /etc
            ls -A /etc"
                .replace("UID", &world.uid().to_string())
                .as_str(),
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
fn the_label_of_the_hosts_file_stays() {
    // Whether or not SELinux gives it a meaning, root can write one.
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "label() { python3 -c \"import os; $1\"; }
            label 'os.setxattr(\"/etc/hosts\", \"security.selinux\", b\"system_u:object_r:net_conf_t:s0\\0\")'
            stat -c %i /etc/hosts > /before
            printf 'shop.localhost\\n' | as caller call $shim hosts sync
            label 'print(os.getxattr(\"/etc/hosts\", \"security.selinux\"))'
            stat -c %i /etc/hosts | cmp -s /before - || echo another file",
        );
        let label = "b'system_u:object_r:net_conf_t:s0\\x00'\n";
        assert_eq!(out, format!("exit 0\nreply ok\n{label}another file\n"));
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
