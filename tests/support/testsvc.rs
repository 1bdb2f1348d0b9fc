//! A service for the tests: does what its arguments say, one step after the other.
//!
//! A step is `verb` or `verb=value`. Steps of a child are joined by `+`.

#![expect(clippy::disallowed_methods, reason = "a service, outside of locald's rules for itself")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "services print")]

mod grpc;
mod web;

use std::{
    env, fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::net::UnixDatagram,
    },
    process::{self, Command},
    thread,
    time::Duration,
};

use nix::{
    sys::{
        signal::{SigSet, Signal, kill},
        socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg},
    },
    unistd::{Pid, setsid},
};

fn main() {
    for step in env::args().skip(1) {
        let (verb, value) = step.split_once('=').unwrap_or((step.as_str(), ""));
        take(verb, value);
    }
}

fn take(verb: &str, value: &str) {
    match verb {
        "print" => println!("{value}"),
        "eprint" => eprintln!("{value}"),
        "print-partial" => {
            print!("{value}");
            io::stdout().flush().expect("standard output is open");
        }
        "print-env" => println!("{value}={}", env::var(value).unwrap_or_default()),
        "print-terminal" => print_terminal(),
        "sleep" => thread::sleep(milliseconds(value)),
        // Opening a pipe with a name waits for the other side.
        "gate" => drop(fs::read(value).expect("a pipe with a name")),
        "append" => append(value),
        "pid" => fs::write(value, process::id().to_string()).expect("a file"),
        "flood" => flood(value),
        "exit" => process::exit(value.parse().expect("an exit code")),
        "kill" => die_of(value),
        "block" => block(&[value]),
        "on-term" => on_term(value),
        "on-term-extend" => on_term_extend(value),
        "forever" => loop {
            thread::park();
        },
        "setsid" => drop(setsid()),
        "spawn" => drop(spawn(value)),
        // A child whose parent is gone at once.
        "orphan" => drop(spawn(&format!("spawn={}", value.replace('+', "\u{1}"))).wait()),
        "listen" => listen(TcpListener::bind((Ipv4Addr::LOCALHOST, port())), 200),
        "listen6" => listen(TcpListener::bind((Ipv6Addr::LOCALHOST, port())), 200),
        "listen-elsewhere" => listen_elsewhere(),
        "http" => http(value),
        "web" => web(value),
        "grpc" => drop(thread::spawn(|| grpc::serve(port()))),
        "notify" => notify(&value.replace("\\n", "\n")),
        "notify-every" => notify_every(value),
        "notify-barrier" => notify_barrier(),
        other => panic!("no such step: {other}"),
    }
}

fn print_terminal() {
    let tty = io::stdout().is_terminal() && io::stdin().is_terminal();
    println!("terminal {tty}");
}

fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(text.parse().expect("milliseconds"))
}

fn port() -> u16 {
    env::var("PORT").expect("PORT is set").parse().expect("PORT is a port")
}

/// `FILE:TEXT`: one write, so that lines of several services do not mix.
fn append(value: &str) {
    let (path, text) = value.split_once(':').expect("FILE:TEXT");
    let mut file =
        fs::OpenOptions::new().create(true).append(true).open(path).expect("a file to append to");
    file.write_all(format!("{text}\n").as_bytes()).expect("room");
}

/// `LINES:LENGTH`: numbered lines of that many bytes, as fast as they go.
fn flood(value: &str) {
    let (lines, length) = value.split_once(':').expect("LINES:LENGTH");
    let (lines, length): (u64, usize) =
        (lines.parse().expect("a number"), length.parse().expect("a number"));
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    for nth in 0..lines {
        let number = format!("{nth:09} ");
        writeln!(out, "{number:x<length$}").expect("standard output is open");
    }
    out.flush().expect("standard output is open");
}

fn die_of(signal: &str) {
    let signal: Signal = signal.parse().expect("a signal");
    kill(Pid::this(), signal).expect("it is us");
    thread::sleep(Duration::from_mins(1));
}

/// A signal that is blocked for good is as good as ignored; children inherit it.
fn block(signals: &[&str]) {
    let set: SigSet =
        signals.iter().map(|name| name.parse::<Signal>().expect("a signal")).collect();
    set.thread_block().expect("a valid set");
}

/// `FILE:TEXT`: writes it down and exits 0 when told to stop. Before any thread.
fn on_term(value: &str) {
    let value = value.to_owned();
    block(&["SIGTERM"]);
    thread::spawn(move || {
        let set: SigSet = [Signal::SIGTERM].into_iter().collect();
        set.wait().expect("a valid set");
        append(&value);
        process::exit(0);
    });
}

/// `MICROSECONDS:MILLISECONDS`: when told to stop, asks for that much time, prints, and takes that
/// much to exit 0. Before any thread.
fn on_term_extend(value: &str) {
    let (ask, take) = value.split_once(':').expect("MICROSECONDS:MILLISECONDS");
    let (ask, take) = (format!("EXTEND_TIMEOUT_USEC={ask}"), milliseconds(take));
    block(&["SIGTERM"]);
    thread::spawn(move || {
        let set: SigSet = [Signal::SIGTERM].into_iter().collect();
        set.wait().expect("a valid set");
        notify(&ask);
        thread::sleep(take);
        println!("done in peace");
        process::exit(0);
    });
}

fn spawn(steps: &str) -> process::Child {
    let own = env::current_exe().expect("we are a program");
    let steps: Vec<String> = steps.split('+').map(|step| step.replace('\u{1}', "+")).collect();
    Command::new(own).args(steps).spawn().expect("we can be started once more")
}

fn listen(listener: io::Result<TcpListener>, status: u16) {
    let listener = listener.unwrap_or_else(|error| panic!("cannot listen: {error}"));
    serve(listener, move || status);
}

fn listen_elsewhere() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    println!("elsewhere {}", listener.local_addr().expect("it is bound").port());
    serve(listener, || 200);
}

/// Serves HTTP; each answer has the status that the file holds then.
fn http(file: &str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port())).expect("our port");
    let file = file.to_owned();
    serve(listener, move || {
        let status = fs::read_to_string(&file).unwrap_or_default();
        status.trim().parse().unwrap_or(200)
    });
}

/// A web application that calls itself by this name.
fn web(name: &str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port())).expect("our port");
    let name = name.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let name = name.clone();
            // Who asked may be gone at any time.
            thread::spawn(move || web::converse(&name, stream));
        }
    });
}

fn serve(listener: TcpListener, status: impl Fn() -> u16 + Send + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            answer(stream, status());
        }
    });
}

fn answer(mut stream: TcpStream, status: u16) {
    let mut request = [0; 4096];
    // A probe that only connects is none of our business.
    let Ok(1..) = stream.read(&mut request) else { return };
    let body = format!("pid {}\n", process::id());
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // Whoever asked may be gone.
    drop(stream.write_all(text.as_bytes()));
}

fn notify_path() -> String {
    env::var("NOTIFY_SOCKET").expect("NOTIFY_SOCKET is set")
}

fn notify(text: &str) {
    let socket = UnixDatagram::unbound().expect("a socket");
    let text = text.replace("SELF", &process::id().to_string());
    let sent = socket.send_to(text.as_bytes(), notify_path());
    sent.unwrap_or_else(|error| panic!("cannot notify: {error}"));
}

/// `MILLISECONDS:TEXT`.
fn notify_every(value: &str) {
    let (pause, text) = value.split_once(':').expect("MILLISECONDS:TEXT");
    let (pause, text) = (milliseconds(pause), text.to_owned());
    thread::spawn(move || {
        loop {
            notify(&text);
            thread::sleep(pause);
        }
    });
}

/// Prints when the receiver has acted on all that was sent before.
fn notify_barrier() {
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let socket = UnixDatagram::unbound().expect("a socket");
    let writer: OwnedFd = writer.into();
    let address = UnixAddr::new(notify_path().as_str()).expect("a path");
    let fds = [writer.as_raw_fd()];
    let sent = sendmsg(
        socket.as_raw_fd(),
        &[io::IoSlice::new(b"BARRIER=1")],
        &[ControlMessage::ScmRights(&fds)],
        MsgFlags::empty(),
        Some(&address),
    );
    sent.expect("the barrier is sent");
    drop(writer);
    reader.read_exact(&mut [0; 1]).expect_err("nobody writes: its end is the answer");
    println!("barrier passed");
}
