//! The privileged helper of locald: setuid root, for the users on root's list, five operations and nothing else.
//!
//! What an attacker tries → what stops it → its test (in `tests/setuid.rs`, unless it is of `tests/pure.rs`):
//!
//! | attack | stopped by | test |
//! |---|---|---|
//! | odd arguments, none at all (CVE-2021-4034) | `Operation::parse`: exact words | `only_the_exact_words_of_an_operation_are_taken` |
//! | `PATH`, `LD_*`, `IFS`, `BASH_ENV`, `GLIBC_TUNABLES`, `RUST_BACKTRACE` | nothing reads the environment; helpers get a constant one (`Found::spawn`) and no shell is called | `nothing_of_the_caller_s_surroundings_matters` |
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
//! | a damaged or foreign block | `hosts::rewrite` | `names_come_and_go_and_nothing_else_changes`, `pure` |
//! | a root that signs for banks, mail, code | `cert::check` | `only_a_harmless_root_is_installed_and_only_its_owner_takes_it_out`, `pure` |
//! | another user's root, `..` in a fingerprint | `Found::name`, `request::fingerprint` | the same |
//! | a failing helper, one that others can write | `store::install`, `store::find` | `a_helper_that_fails_is_taken_back` |
//! | being killed half-way, calls at the same time | `place::replace`, `place::lock` | `a_killed_call_leaves_files_whole`, `calls_at_the_same_time_do_not_hurt_one_another` |
//! | doing it unseen | `log` | `each_operation_is_logged` |

#![forbid(unsafe_code)]

mod entry;
mod place;
mod ports;
mod store;

use std::{
    env,
    ffi::OsString,
    io::{self, IoSlice, Write},
    net::TcpListener,
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, net::UnixDatagram},
    },
    panic, process,
    process::ExitCode,
};

use locald_shim::{
    PROTOCOL, hosts,
    request::{self, LONGEST, Operation},
};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{ControlMessage, MsgFlags, recv, sendmsg},
    unistd::geteuid,
};

use self::entry::{Caller, SOCKET};

/// What to say, and the descriptors to send with it.
type Outcome = Result<(String, Vec<TcpListener>), String>;

/// Says nothing: somebody's descriptor could be at the other end.
const LOST: i32 = 70;

fn main() -> ExitCode {
    // A report would read the environment, which nothing here does.
    panic::set_hook(Box::new(|_| process::exit(LOST)));
    let caller = Caller::real();
    let words: Vec<OsString> = env::args_os().skip(1).take(3).collect();
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    match Operation::parse(&words) {
        None => {
            let usage =
                "usage: locald-shim hello | bind | trust install | trust uninstall | hosts sync";
            alone(caller, io::stderr(), usage, 2)
        }
        Some(Operation::Hello) => {
            let ((from, to), version) = (PROTOCOL, env!("CARGO_PKG_VERSION"));
            let hello = format!("locald-shim {version} protocol {from}-{to} bind trust hosts");
            alone(caller, io::stdout(), &hello, 0)
        }
        Some(_) if !geteuid().is_root() => alone(caller, io::stderr(), entry::why_not_root(), 1),
        Some(operation) => serve(caller, operation),
    }
}

fn serve(caller: Caller, operation: Operation) -> ExitCode {
    let admitted = entry::shed()
        .and_then(|()| caller.become_root())
        .and_then(|()| caller.check_allowed())
        .and_then(|()| caller.check_socket());
    if let Err(why) = admitted {
        log(caller, operation, &why);
        return alone(caller, io::stderr(), &why, 1);
    }
    let outcome = receive().and_then(|body| perform(caller, operation, &body));
    log(caller, operation, outcome.as_ref().err().map_or("ok", String::as_str));
    if caller.drop_for_good().is_err() {
        process::exit(LOST);
    }
    let (text, sockets) = match &outcome {
        Ok((text, sockets)) => (format!("ok{text}"), &sockets[..]),
        Err(why) => (format!("no {why}"), &[][..]),
    };
    let raw: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let rights = if raw.is_empty() { &[] } else { &rights[..] };
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let sent = sendmsg::<()>(SOCKET, &[IoSlice::new(text.as_bytes())], rights, flags, None);
    if sent.is_ok() && outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One message, which has been sent already or comes at once.
fn receive() -> Result<Vec<u8>, String> {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(std::os::fd::AsFd::as_fd(&stdin), PollFlags::POLLIN)];
    poll(&mut ready, PollTimeout::from(2000u16)).map_err(entry::said("wait for the request"))?;
    let mut body = vec![0; LONGEST + 1];
    let length = recv(SOCKET, &mut body, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC)
        .map_err(entry::said("read the request"))?;
    if length > LONGEST {
        return Err("the request is too long".to_owned());
    }
    body.truncate(length);
    Ok(body)
}

fn perform(caller: Caller, operation: Operation, body: &[u8]) -> Outcome {
    let text = match operation {
        Operation::Bind => return ports::bind(body),
        Operation::TrustInstall => store::install(caller, body),
        Operation::TrustUninstall => store::uninstall(caller, body),
        Operation::HostsSync => sync_hosts(caller, body),
        Operation::Hello => Ok(String::new()),
    };
    text.map(|text| (text, Vec::new()))
}

fn sync_hosts(caller: Caller, body: &[u8]) -> Result<String, String> {
    let names = request::names(body, &store::tlds()?)?;
    let _lock = place::lock()?;
    let etc = place::folder("/etc")?;
    let (file, stat) = place::open(&etc, "hosts")?.ok_or("there is no /etc/hosts")?;
    let again = file.try_clone().map_err(entry::said("copy a descriptor"))?;
    let before = place::all(again, hosts::LARGEST, "/etc/hosts")?;
    let after = hosts::rewrite(&before, caller.uid.as_raw(), &names)?;
    if after != before {
        place::replace(&etc, "hosts", &after, Some((&file, &stat)))?;
    }
    Ok(String::new())
}

/// Without the socket, and without privileges.
fn alone(caller: Caller, mut to: impl Write, text: &str, code: u8) -> ExitCode {
    if caller.drop_for_good().is_err() {
        process::exit(LOST);
    }
    // Nobody is left to tell when it is closed; the exit code still tells.
    let _told = writeln!(to, "{text}");
    ExitCode::from(code)
}

/// To the system's log, if there is one and it has room.
fn log(caller: Caller, operation: Operation, result: &str) {
    let (uid, operation, pid) = (caller.uid, operation.words(), process::id());
    // <85>: authpriv, notice.
    let line =
        format!("<85>locald-shim[{pid}]: uid={uid} operation=\"{operation}\" result=\"{result}\"");
    let line: String = line.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let Ok(socket) = UnixDatagram::unbound() else { return };
    if socket.set_nonblocking(true).is_ok() {
        let _lost = socket.send_to(line.as_bytes(), "/dev/log");
    }
}
