//! The outermost supervisor is a process: it starts the daemon, holds what must survive it, and is
//! the parent of every service that does. It sleeps unless one of them has something to say.

mod child;
mod end;
mod store;
mod succession;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::ffi::OsStringExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
};

use self::{child::Daemon, store::Store};
use crate::os::{
    clock, detach, footprint, keep, limits, reaper,
    wait::{self, Ending},
};

/// The first argument of the program that is to be a heart.
pub const WORD: &str = "heart";
/// The second one, if it is to keep the terminal.
pub const FOREGROUND: &str = "--foreground";

/// So many daemons in a row may die before they serve.
const DEATHS: u32 = 5;
/// A daemon that has served for less than this is followed by the next one after [`PAUSE`].
const SHORT: Duration = Duration::from_secs(1);
/// Lest a daemon that dies at once keeps a processor busy.
const PAUSE: Duration = Duration::from_millis(50);
/// After so long without anything to do there will be nothing for a while: memory is given back.
const QUIET: Duration = Duration::from_secs(2);
/// The exit codes of a daemon that has said why it does not serve.
const REFUSALS: [i32; 2] = [3, 4];

/// Its whole life.
struct Heart {
    foreground: bool,
    /// Whoever waits for the first daemon to serve.
    ready: Option<File>,
    signals: SignalFd,
    store: Store,
    daemon: Option<Daemon>,
    /// Deaths in a row of daemons that had not served.
    deaths: u32,
    /// Some daemon has served: there may be services.
    has_served: bool,
    /// Somebody wants it all to end.
    ending: bool,
    /// The program that is to take our place when the daemon makes way for the next one.
    successor: Option<PathBuf>,
    /// When the next daemon is due.
    next: Option<Instant>,
    /// When memory is given back, if nothing happens before.
    shed: Option<Instant>,
}

/// Keeps a daemon alive until it ends by itself, or cannot be kept alive.
pub fn run(foreground: bool) -> ExitCode {
    let ready = detach::ready_pipe();
    let store = match succession::remembered() {
        Ok(store) => store,
        Err(error) => {
            let text = format!("the heart cannot go on where it was: {error}");
            say(&text);
            end::everything();
            end::leave_word(&text);
            return ExitCode::from(3);
        }
    };
    let end = Heart::new(foreground, ready, store).and_then(|mut heart| heart.live());
    end.unwrap_or_else(|error| {
        say(&format!("cannot keep a daemon: {error}"));
        ExitCode::from(3)
    })
}

impl Heart {
    /// With a store it goes on where the program was that it has been before.
    fn new(foreground: bool, ready: Option<File>, store: Option<Store>) -> io::Result<Self> {
        let mut wanted = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            wanted.add(signal);
        }
        wanted.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&wanted, flags)?;
        reaper::become_subreaper()?;
        limits::raise_nofile()?;
        Ok(Self {
            foreground,
            ready,
            signals,
            has_served: store.is_some(),
            store: store.unwrap_or_default(),
            daemon: None,
            deaths: 0,
            ending: false,
            successor: None,
            next: Some(clock::now()),
            shed: None,
        })
    }

    fn live(&mut self) -> io::Result<ExitCode> {
        loop {
            self.wait()?;
            self.hear();
            while let Some(signal) = self.signals.read_signal()? {
                self.pass_on(signal.ssi_signo.cast_signed());
            }
            if let Some(code) = self.look_after_the_daemon()? {
                return Ok(code);
            }
            self.store.sweep(self.daemon.as_ref().map(|daemon| daemon.pid))?;
            if let Some(code) = self.start_if_due() {
                return Ok(code);
            }
        }
    }

    /// Sleeps until there is something to do.
    fn wait(&mut self) -> io::Result<()> {
        let timeout = match self.next.into_iter().chain(self.shed).min() {
            Some(next) => {
                let left = next.saturating_duration_since(clock::now());
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        let mut polled = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let line = self.daemon.as_ref().and_then(|daemon| daemon.line.as_ref());
        polled.extend(line.map(|line| PollFd::new(line.as_fd(), PollFlags::POLLIN)));
        match poll(&mut polled, timeout) {
            Ok(0) => self.shed_if_due(),
            Ok(_) => self.shed = Some(clock::now() + QUIET),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// From here on we sleep, as far as one can tell.
    fn shed_if_due(&mut self) {
        if self.shed.take_if(|shed| *shed <= clock::now()).is_some()
            && let Err(error) = footprint::shed()
        {
            say(&format!("cannot give memory back: {error}"));
        }
    }

    /// Does what the daemon asks for.
    fn hear(&mut self) {
        while let Some(packet) = self.daemon.as_mut().and_then(Daemon::receive) {
            if packet.word == keep::SERVES {
                self.serves();
            } else if packet.word == keep::UPGRADE {
                self.prepare(OsString::from_vec(packet.note).into());
            } else if let Some(line) = self.daemon.as_ref().and_then(|daemon| daemon.line.as_ref())
            {
                self.store.obey(packet, line);
            }
        }
    }

    /// The daemon is about to make way, if it hears that we know of it.
    fn prepare(&mut self, successor: PathBuf) {
        self.successor = Some(successor);
        let line = self.daemon.as_ref().and_then(|daemon| daemon.line.as_ref());
        if let Some(Err(error)) = line.map(|line| keep::send(line, keep::UPGRADE, "", &[], None)) {
            say(&format!("cannot answer the daemon: {error}"));
        }
    }

    fn serves(&mut self) {
        self.deaths = 0;
        self.has_served = true;
        // Who reads it waits for its end.
        self.ready = None;
        if let Some(daemon) = &mut self.daemon {
            daemon.serves = true;
        }
    }

    /// The end of the heart is that of the daemon, which knows how to end in order.
    fn pass_on(&mut self, signal: i32) {
        let told = match Signal::try_from(signal) {
            Ok(Signal::SIGTERM | Signal::SIGINT) => Signal::SIGTERM,
            Ok(Signal::SIGHUP) if self.foreground => Signal::SIGTERM,
            _ => return,
        };
        self.ending = true;
        if let Some(daemon) = &self.daemon {
            daemon.signal(told);
        }
    }

    /// Returns the exit code when there is nothing left to keep.
    fn look_after_the_daemon(&mut self) -> io::Result<Option<ExitCode>> {
        let Some(daemon) = &self.daemon else { return Ok(self.end_without_daemon()) };
        let Some(ending) = wait::peek_pid(daemon.pid)? else { return Ok(None) };
        // What it said last.
        self.hear();
        let Some(daemon) = self.daemon.take() else { return Ok(None) };
        wait::reap_pid(daemon.pid)?;
        let successor = self.successor.take();
        if ending == Ending::Code(keep::MAKES_WAY.into())
            && let Some(program) = successor
        {
            return Ok(self.make_way(daemon.pid, &program));
        }
        if let Ending::Code(code) = ending {
            let refused = !self.has_served && REFUSALS.contains(&code);
            if code == 0 || refused {
                return Ok(Some(ExitCode::from(u8::try_from(code).unwrap_or(1))));
            }
        }
        if !daemon.serves {
            self.deaths += 1;
        }
        if self.deaths >= DEATHS {
            return Ok(Some(self.give_up(&format!("{ending}"))));
        }
        say(&format!("the daemon (pid {}) died ({ending}); the next one goes on", daemon.pid));
        self.next = Some(clock::now() + self.pause(daemon.age()));
        Ok(self.end_without_daemon())
    }

    /// Becomes the next program, which then starts the next daemon. If it cannot, this one does.
    fn make_way(&mut self, pid: i32, program: &Path) -> Option<ExitCode> {
        if !self.ending {
            say(&format!("the daemon (pid {pid}) has made way for {}", program.display()));
            let error = succession::become_program(program, self.foreground, &self.store);
            say(&format!("cannot become {}: {error}; all goes on as it was", program.display()));
            self.next = Some(clock::now());
        }
        self.end_without_daemon()
    }

    /// After a short life: whatever hinders it may pass.
    fn pause(&self, age: Duration) -> Duration {
        if age < SHORT { PAUSE * 2_u32.pow(self.deaths) } else { Duration::ZERO }
    }

    /// Whoever wants it all to end need not wait for another daemon.
    fn end_without_daemon(&self) -> Option<ExitCode> {
        self.ending.then(|| {
            end::everything();
            ExitCode::FAILURE
        })
    }

    fn give_up(&mut self, ending: &str) -> ExitCode {
        let text = format!("the daemon died five times in a row before it served ({ending})");
        say(&format!("{text}; everything is stopped"));
        end::everything();
        if let Some(mut ready) = self.ready.take() {
            // Whoever waited may be gone.
            let _told = writeln!(ready, "error: {text}");
        }
        end::leave_word(&text);
        ExitCode::from(3)
    }

    /// One that cannot be started, for want of memory or processes, is as good as dead. Returns the
    /// exit code when that has been so too often.
    fn start_if_due(&mut self) -> Option<ExitCode> {
        if self.next.is_none_or(|next| next > clock::now()) {
            return None;
        }
        self.next = None;
        match Daemon::start(self.foreground, self.ready.as_ref()) {
            Ok(daemon) => self.daemon = Some(daemon),
            Err(error) => {
                self.deaths += 1;
                if self.deaths >= DEATHS {
                    return Some(self.give_up(&format!("{error}")));
                }
                say(&format!("cannot start the daemon: {error}"));
                self.next = Some(clock::now() + self.pause(Duration::ZERO));
            }
        }
        None
    }
}

/// To whoever reads the daemon's log.
fn say(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _told = writeln!(io::stderr(), "heart: {text}");
}
