//! Who may call, by which socket, and who speaks.

use crate::world::World;

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
fn the_caller_can_neither_signal_it_nor_hold_its_lock() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        let out = world.run(
            "printf '#!/bin/sh\\nread x < /fifo\\n' > /usr/sbin/update-ca-certificates
            as caller call /bin/sh -c 'echo $$ > /tmp/pid; exec /usr/local/libexec/locald-shim trust install' \
                < /certs/good.der > /out & waiting=$!
            exec 9> /fifo
            for signal in KILL STOP ALRM; do as kill -$signal $(cat /tmp/pid) 2>&1 | grep -o 'not permitted'; done
            as cat /proc/$(cat /tmp/pid)/environ 2>&1 | grep -o denied
            wc -c < /proc/$(cat /tmp/pid)/environ
            as flock -n /etc/locald/.lock true 2>&1 | grep -o denied
            echo go >&9; exec 9>&-; wait $waiting; cat /out",
        );
        // Its environment is gone, too.
        let refused = "not permitted\n".repeat(3) + "denied\n0\ndenied\n";
        assert_eq!(out, refused + "exit 0\nreply ok\n");
    }
}

#[test]
fn each_word_is_written_by_the_caller() {
    for world in World::all().into_iter().filter(|world| world.uid() != 0) {
        // The kernel tells the ids of a sender at the moment of sending.
        let out = world.run(
            "printf 80 | as caller senders $shim bind
            printf 81 | as caller senders $shim bind
            printf 'shop.localhost' | as caller senders $shim hosts sync
            as caller senders $shim trust install < /certs/good.der
            as caller senders $shim < /dev/null
            who=1235; printf 80 | as caller senders $shim bind
            chmod 755 $shim; printf 80 | as caller senders $shim bind",
        );
        let usage =
            "usage: locald-shim hello | bind | trust install | trust uninstall | hosts sync";
        assert_eq!(
            out,
            format!(
                "1234 replied ok|80 2\n1234 replied no it is not a list of the ports 80 and 443\n\
                 1234 replied ok\n1234 replied ok\n1234 said {usage}\n\
                 1235 said you may not use it: see `sudo locald admin setup`\n\
                 1235 said it is not root: its file is not owned by root with mode 4755, or \
                 somebody traces it\n"
            )
        );
    }
}

#[test]
fn each_operation_is_logged() {
    for world in World::all() {
        let uid = world.uid();
        let out = world.run(
            "mkfifo /logged; timeout 30 caller log > /logged & exec 8< /logged; read -r line <&8
            printf 'shop.localhost\\n' | as caller call $shim hosts sync > /dev/null
            printf 'bank.com\\n' | as caller call $shim hosts sync > /dev/null
            printf '80\\n' | as caller call $shim bind > /dev/null
            as caller stream $shim bind < /dev/null > /dev/null 2>&1
            for each in 1 2 3 4; do read -r line <&8; echo \"$line\"; done | sed 's/\\[.*\\]//'
            exec 8<&-; kill $!",
        );
        let line = |what: &str| format!("log <85>locald-shim: uid={uid} operation={what}\n");
        let refused = "it is not a list of names of hosts below the allowed top-level domains";
        let wanted = line("\"hosts sync\" result=\"ok\"")
            + &line(&format!("\"hosts sync\" result=\"{refused}\""))
            + &line("\"bind\" result=\"ok\"")
            + &line("\"bind\" result=\"standard input is not a SEQPACKET socket of yours\"");
        assert_eq!(out, wanted);
    }
}
