//! The privileged helper of locald: setuid root, for the users on root's list, five operations and nothing else.
//!
//! What an attacker tries → what stops it → its test (in `tests/shim`, unless it is of `shim/tests/pure.rs`):
//!
//! | attack | stopped by | test |
//! |---|---|---|
//! | odd arguments, none at all (CVE-2021-4034) | `call::main`: exact words | `only_the_exact_words_of_an_operation_are_taken` |
//! | `PATH`, `LD_*`, `IFS`, `BASH_ENV`, `GLIBC_TUNABLES`, `RUST_BACKTRACE` | `entry::forget_environment`; helpers get a constant one (`Found::spawn`) and no shell is called | `nothing_of_the_caller_s_surroundings_matters`, `the_caller_can_neither_…` |
//! | inherited descriptors, umask, folder | `entry::shed`, `/dev/null` for helpers | the same |
//! | closed descriptors | the runtime opens 0–2 before `main`; `Caller::check_socket` | `limits_and_closed_descriptors_break_nothing` |
//! | low limits (`ulimit -f 0` cut a file once) | `entry::limits`; no file is written in place (`place::replace`) | the same, `limits_that_even_root_may_not_raise_…` |
//! | signals, job control, ignored or blocked ones, ptrace | `entry::signals`, `Caller::become_root`: the caller may not signal root | `the_caller_can_neither_signal_it_nor_hold_its_lock` |
//! | no privileges given (`no_new_privs`, nosuid, missing bit) | `entry::why_not_root` says so | `without_root_it_says_why` |
//! | another user; a forged or broken allow-list | `Caller::check_allowed`, `place::folder`, `place::open` | `who_is_not_on_the_list_is_turned_away` |
//! | another's socket, a pipe, a terminal | `Caller::check_socket` | `only_a_socket_of_the_caller_s_own_is_read` |
//! | root writes to a descriptor of the caller's (CVE-2012-0056) | `Caller::drop_for_good` before each reply and word | `each_word_is_written_by_the_caller` |
//! | any port, any address | `request::ports`, `ports::both` | `both_ports_come_as_listening_sockets_of_this_machine` |
//! | a line break in a name, names of others | `request::names` | `no_line_but_names_below_our_domains_gets_in`, `pure` |
//! | links, FIFOs, mounts, writable files as the hosts file | `place::open`, `place::replace` | `a_hosts_file_that_is_not_one_is_refused_and_left` |
//! | a file without the label that SELinux asks for | `place::write` copies it | `the_label_of_the_hosts_file_stays` |
//! | a damaged or foreign block | `hosts::rewrite` | `names_come_and_go_and_nothing_else_changes`, `pure` |
//! | a root that signs for banks, mail, code | `cert::check` | `only_a_harmless_root_is_installed_and_only_its_owner_takes_it_out`, `pure` |
//! | roots without end | `Found::count` | `nobody_fills_the_store` |
//! | another user's root, `..` in a fingerprint | `Found::name`, `request::fingerprint` | the same |
//! | a failing helper, one that others can write | `store::install`, `store::find` | `a_helper_that_fails_is_taken_back` |
//! | being killed half-way, calls at the same time | `place::replace`, `place::lock` | `a_killed_call_leaves_files_whole`, `calls_at_the_same_time_do_not_hurt_one_another` |
//! | a helper and a daemon of different releases (`src/os/shim`) | `hello` needs no privilege; `greet` takes any overlap | `src/os/shim.rs`: `versions_are_a_range` |
//! | code that nobody reads | it is short | `tests/tidy.rs`: `the_privileged_helper_stays_short` |
//! | doing it unseen | `log` | `each_operation_is_logged` |
//! | odd bytes of any kind | the pure part has no panics and accepts nothing harmful | `pure`, and the fuzzer's targets in `fuzz` |
//! | a helper exchanged before it is installed (`src/os/shim`) | `Source::beside_us`, `make_folder`, `put` | `tests/machine`: `setup_refuses_…` |
//! | an old helper that is kept (`src/os/shim`) | `disarm` | `tests/machine`: `a_new_setup_replaces_the_helper_and_disarms_the_old_one` |

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    locald_shim::main()
}
