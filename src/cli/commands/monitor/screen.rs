//! The terminal while it is ours: entered, drawn on, listened to, and left as it was, come what may.

use std::{
    io::{self, BufWriter, Stdout, Write as _},
    mem, panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor, event,
    event::{Event, EventStream},
    execute, queue, style,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use futures_util::StreamExt as _;
use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    layout::{Rect, Size},
};
use tokio::time::Instant;

use crate::cli::monitor::{model::Model, view};

/// Of a terminal that does not tell.
const USUAL: Size = Size { width: 80, height: 24 };
/// More than a picture takes: it is written at once.
const PICTURE: usize = 256 << 10;

/// Whether the terminal is ours: to leave it twice puts the cursor back into what was said meanwhile.
static OURS: AtomicBool = AtomicBool::new(false);

type Out = BufWriter<Stdout>;

/// The terminal. Dropped, it is left as it was.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    /// None while the terminal is not ours.
    events: Option<EventStream>,
    /// Whether something else than what was drawn may stand there.
    spoiled: bool,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn new() -> io::Result<Self> {
        restore_before_panics();
        let backend = CrosstermBackend::new(BufWriter::with_capacity(PICTURE, io::stdout()));
        let viewport = Viewport::Fixed(Rect::from((ratatui::layout::Position::ORIGIN, size())));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        let mut screen = Self { terminal, events: None, spoiled: true };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal, again.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        OURS.store(true, Ordering::Relaxed);
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, event::EnableBracketedPaste, cursor::Hide)?;
        self.events = Some(EventStream::new());
        self.forget();
        Ok(())
    }

    /// Leaves the terminal as it was.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.events = None;
        restore()
    }

    /// What the person does; none: the terminal is gone.
    pub(super) async fn next(&mut self) -> Option<io::Result<Event>> {
        match &mut self.events {
            Some(events) => events.next().await,
            None => std::future::pending().await,
        }
    }

    /// Has everything drawn anew the next time: somebody else has written there.
    pub(super) fn forget(&mut self) {
        self.spoiled = true;
    }

    /// Draws what has changed.
    pub(super) fn draw(&mut self, model: &Model, now: Instant, colours: bool) -> io::Result<()> {
        let area = Rect::from((ratatui::layout::Position::ORIGIN, model.size));
        let backend = self.terminal.backend_mut();
        queue!(backend, terminal::BeginSynchronizedUpdate)?;
        // Not `clear`, which asks the terminal where its cursor is, and waits for the answer.
        if mem::take(&mut self.spoiled) || self.terminal.get_frame().area() != area {
            self.terminal.resize(area)?;
        }
        self.terminal.draw(|frame| view::draw(frame, model, now, colours))?;
        let backend = self.terminal.backend_mut();
        queue!(backend, terminal::EndSynchronizedUpdate)?;
        backend.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.events = None;
        // A terminal that has gone needs nothing.
        let _gone = restore();
    }
}

/// Leaves the terminal as it was, whatever was switched on.
fn restore() -> io::Result<()> {
    if !OURS.swap(false, Ordering::Relaxed) {
        return Ok(());
    }
    let shown = execute!(
        io::stdout(),
        event::DisableMouseCapture,
        event::DisableBracketedPaste,
        style::ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    terminal::disable_raw_mode().and(shown)
}

/// What a panic says is to be read on the screen that stays.
fn restore_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _worse_has_happened = restore();
            say(info);
        }));
    });
}

/// Its size, which may change at any time.
pub(super) fn size() -> Size {
    match terminal::size() {
        Ok((width @ 1.., height @ 1..)) => Size { width, height },
        _ => USUAL,
    }
}

/// Takes the mouse, or leaves it to the terminal.
pub(super) fn set_mouse(ours: bool) -> io::Result<()> {
    if ours {
        execute!(io::stdout(), event::EnableMouseCapture)
    } else {
        execute!(io::stdout(), event::DisableMouseCapture)
    }
}
