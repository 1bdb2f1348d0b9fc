//! One call: who may, what for, and what is said in the end.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::{ffi::OsStrExt, net::UnixDatagram};
use std::process::{self, ExitCode};
use std::{env, ffi::OsString, panic};

use nix::sys::socket::{ControlMessage, MsgFlags, recv, sendmsg, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike as _};
use nix::unistd::Uid;

use crate::entry::{self, Caller, SOCKET, said};
use crate::request::{self, LONGEST};
use crate::{Done, PROTOCOL, Reply, hosts, must, place, ports, store};

/// What is done for a caller with the body of its request.
type Operation = fn(Caller, &[u8]) -> Done<Reply>;

const USAGE: &str =
    "usage: locald-shim hello | bind | trust install | trust uninstall | hosts sync";
/// Says nothing: somebody's descriptor could be at the other end.
const LOST: i32 = 70;

/// Serves the call that this process is.
pub fn main() -> ExitCode {
    // A report would read the environment, which nothing here does.
    panic::set_hook(Box::new(|_| process::exit(LOST)));
    let caller = Caller::real();
    if let Err(why) = entry::forget_environment() {
        return alone(caller, io::stderr(), &why, 1);
    }
    let words: Vec<OsString> = env::args_os().skip(1).take(3).collect();
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let operation: Operation = match words[..] {
        [b"hello"] => {
            let ((from, to), version) = (PROTOCOL, env!("CARGO_PKG_VERSION"));
            let hello = format!("locald-shim {version} protocol {from}-{to} bind trust hosts");
            return alone(caller, io::stdout(), &hello, 0);
        }
        [b"bind"] => ports::bind,
        [b"trust", b"install"] => store::install,
        [b"trust", b"uninstall"] => store::uninstall,
        [b"hosts", b"sync"] => sync_hosts,
        _ => return alone(caller, io::stderr(), USAGE, 2),
    };
    if !Uid::effective().is_root() {
        return alone(caller, io::stderr(), entry::why_not_root(), 1);
    }
    serve(caller, operation, &String::from_utf8_lossy(&words.join(&b' ')))
}

fn serve(caller: Caller, operation: Operation, words: &str) -> ExitCode {
    let admitted = entry::shed()
        .and_then(|()| caller.become_root())
        .and_then(|()| caller.check_allowed())
        .and_then(|()| caller.check_socket());
    if let Err(why) = admitted {
        log(caller, words, &why);
        return alone(caller, io::stderr(), &why, 1);
    }
    let outcome = receive().and_then(|body| operation(caller, &body));
    log(caller, words, outcome.as_ref().err().map_or("ok", String::as_str));
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
fn receive() -> Done<Vec<u8>> {
    setsockopt(&io::stdin(), sockopt::ReceiveTimeout, &TimeVal::seconds(2))
        .map_err(said("wait"))?;
    let mut body = vec![0; LONGEST + 1];
    let length = recv(SOCKET, &mut body, MsgFlags::MSG_TRUNC).map_err(said("read the request"))?;
    must(length <= LONGEST, "the request is too long")?;
    body.truncate(length);
    Ok(body)
}

fn sync_hosts(caller: Caller, body: &[u8]) -> Done<Reply> {
    let names = request::names(body, &store::tlds()?)?;
    let _lock = place::lock()?;
    let etc = place::folder("/etc")?;
    let old = place::open(&etc, "hosts")?.ok_or("there is no /etc/hosts")?;
    let before = place::all(&old.0, hosts::LARGEST, "/etc/hosts")?;
    let after = hosts::rewrite(&before, caller.uid.as_raw(), &names)?;
    if after != before {
        place::replace(&etc, "hosts", &after, Some(&old))?;
    }
    Ok(Reply::default())
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
fn log(caller: Caller, words: &str, result: &str) {
    let (uid, pid) = (caller.uid, process::id());
    // <85>: authpriv, notice.
    let line =
        format!("<85>locald-shim[{pid}]: uid={uid} operation=\"{words}\" result=\"{result}\"");
    let line: String = line.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let Ok(socket) = UnixDatagram::unbound() else { return };
    if socket.set_nonblocking(true).is_ok() {
        let _lost = socket.send_to(line.as_bytes(), "/dev/log");
    }
}
