//! `bind`.

use crate::world::World;

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
            "mkfifo /taken; python3 -c 'import socket; s=socket.create_server((\"127.0.0.1\",80)); print(flush=True); input()' \
                < /fifo > /taken & exec 9> /fifo; read -r line < /taken
            printf '443\\n80\\n' | as caller call $shim bind; exec 9>&-; wait",
        );
        assert!(out.contains("80 no ") && out.contains("443 2\nfd 127.0.0.1:443 true"), "{out}");
    }
}
