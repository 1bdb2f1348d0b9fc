//! `locald monitor`: services on the whole screen. What is shown and what keys do is decided in
//! [`monitor`](crate::cli::monitor); here are its terminal, its streams and its clock.

mod deeds;
mod feeds;
mod screen;
mod signals;

use std::{
    env,
    io::{self, IsTerminal as _},
    pin::Pin,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::{
    feeds::Feeds,
    screen::Screen,
    signals::{Sign, Signs},
};
use crate::{
    cli::{
        args,
        commands::attach,
        context::Context,
        error::Error,
        monitor::{
            effect::{Effect, Input, News, One},
            model::Model,
        },
        project::Project,
    },
    os::job,
};

/// News is drawn at most this often.
const PACE: Duration = Duration::from_millis(33);
/// While nothing else changes, so often.
const SECOND: Duration = Duration::from_secs(1);
/// So many portions of news may wait; those who tell wait then.
const AHEAD: usize = 64;

/// Runs the command.
pub async fn run(context: &Context, args: &args::Monitor) -> Result<(), Error> {
    refuse_no_terminal(context)?;
    let here = if args.all { None } else { Project::here_if_any()?.map(|project| project.dir) };
    // Without a daemon there is nothing to wait for; what happens to it later is another matter.
    drop(context.daemon().await?);
    let cannot = |error: io::Error| Error::failed("cannot use this terminal").because(error);
    let signs = Signs::new().map_err(cannot)?;
    let screen = Screen::new().map_err(cannot)?;
    let (send, news) = mpsc::channel(AHEAD);
    let model = Model::new(here.clone(), screen::size());
    let mut feeds = Feeds::new(context, send);
    feeds.status(here);
    let now = Instant::now();
    let (away, over, brought_back) = (None, None, false);
    let mut monitor = Monitor {
        context,
        model,
        screen,
        feeds,
        away,
        brought_back,
        drawn: now,
        ticked: now,
        over,
    };
    monitor.go_on(news, signs).await.map_err(cannot)?;
    monitor.over.unwrap_or(Ok(()))
}

fn refuse_no_terminal(context: &Context) -> Result<(), Error> {
    let hint = "`locald status --watch` goes on showing what changes";
    if !context.out.terminal || !io::stdin().is_terminal() {
        return Err(Error::usage("this is no terminal").hinted(hint));
    }
    if env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        let error = Error::usage("this terminal cannot be drawn on");
        return Err(error.because("TERM does not say that it can").hinted(hint));
    }
    Ok(())
}

/// Everything of the command.
struct Monitor<'a> {
    context: &'a Context,
    model: Model,
    screen: Screen,
    feeds: Feeds,
    /// The visit at a service's terminal, while there is one: the screen is not ours.
    away: Option<Visit<'a>>,
    /// Whether the next sign to go on only tells what is known: we had stopped ourselves.
    brought_back: bool,
    /// When the screen was drawn last, and when a second had passed last.
    drawn: Instant,
    ticked: Instant,
    /// How it ends.
    over: Option<Result<(), Error>>,
}

type Visit<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// What the loop wakes up for.
enum Woken {
    Input(Input),
    Sign(Sign),
    Back(Result<(), Error>),
    Draw,
    End,
}

impl Monitor<'_> {
    async fn go_on(&mut self, mut news: mpsc::Receiver<News>, mut signs: Signs) -> io::Result<()> {
        loop {
            match self.wait(&mut news, &mut signs).await? {
                Woken::Input(input) => {
                    let urgent = matches!(input, Input::Terminal(_));
                    self.take(input)?;
                    // What else has come already is drawn together with it.
                    while let Ok(more) = news.try_recv() {
                        self.take(Input::News(more))?;
                    }
                    if urgent {
                        self.draw()?;
                    }
                }
                Woken::Sign(sign) => self.sign(sign)?,
                Woken::Back(outcome) => self.come_back(outcome)?,
                Woken::Draw => self.draw()?,
                Woken::End => return Ok(()),
            }
            if self.over.is_some() {
                return Ok(());
            }
        }
    }

    async fn wait(
        &mut self,
        news: &mut mpsc::Receiver<News>,
        signs: &mut Signs,
    ) -> io::Result<Woken> {
        let draw_at = self.drawn + PACE;
        let tick_at = self.ticked + SECOND;
        let clock = self.model.has_clock() && self.away.is_none();
        let stale = self.model.is_stale() && self.away.is_none();
        Ok(tokio::select! {
            event = self.screen.next() => match event {
                Some(event) => Woken::Input(Input::Terminal(event?)),
                // The terminal is gone.
                None => Woken::End,
            },
            sign = signs.next() => Woken::Sign(sign),
            outcome = visit(&mut self.away) => Woken::Back(outcome),
            Some(news) = news.recv() => Woken::Input(Input::News(news)),
            () = self.feeds.tidy() => Woken::Draw,
            () = sleep_until(draw_at), if stale => Woken::Draw,
            () = sleep_until(tick_at), if clock => {
                self.ticked = Instant::now();
                Woken::Input(Input::Second)
            }
        })
    }

    fn take(&mut self, input: Input) -> io::Result<()> {
        if let Input::Terminal(crossterm::event::Event::Resize(..)) = input {
            // What is drawn next is of the new size.
            self.model.spoil();
            return Ok(());
        }
        for effect in self.model.update(input, Instant::now()) {
            self.have(effect)?;
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.away.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        let size = screen::size();
        for effect in self.model.update(Input::Size(size), now) {
            self.have(effect)?;
        }
        if self.model.take_stale() {
            self.screen.draw(&self.model, now, self.context.out.paint.colour)?;
            self.drawn = now;
        }
        Ok(())
    }

    /// Has done what the model wants.
    fn have(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Quit => self.over = Some(Ok(())),
            Effect::Suspend => self.suspend()?,
            Effect::Redraw => self.screen.forget(),
            Effect::Mouse(ours) => screen::set_mouse(ours)?,
            Effect::Logs(number, logs) => self.feeds.logs(number, logs),
            Effect::Tree(true) => self.feeds.tree(self.model.here.as_deref()),
            Effect::Tree(false) => self.feeds.no_tree(),
            Effect::Events(wanted) => self.feeds.events(wanted),
            Effect::Why(one) => self.feeds.why(one),
            Effect::Do(deed) => self.feeds.deed(deed, self.context.terminal()),
            Effect::Open(url) => self.feeds.open(url),
            Effect::Attach(one) => self.visit(one)?,
        }
        Ok(())
    }

    /// Lends the terminal to a service.
    fn visit(&mut self, one: One) -> io::Result<()> {
        self.screen.leave()?;
        let context = self.context;
        self.away = Some(Box::pin(async move {
            let args = args::Attach::usual(one.service);
            attach::to(context, &one.dir, &args).await
        }));
        Ok(())
    }

    fn come_back(&mut self, outcome: Result<(), Error>) -> io::Result<()> {
        self.away = None;
        self.screen.enter()?;
        screen::set_mouse(self.model.mouse)?;
        self.model.spoil();
        if let Err(error) = outcome {
            self.take(Input::News(News::Trouble(deeds::line(&error))))?;
        }
        self.draw()
    }

    fn sign(&mut self, sign: Sign) -> io::Result<()> {
        match sign {
            Sign::End(code) => {
                self.over = Some(Err(Error::silent(code)));
                Ok(())
            }
            Sign::Stop => self.suspend(),
            Sign::GoOn if std::mem::take(&mut self.brought_back) => Ok(()),
            // The shell has had the terminal meanwhile.
            Sign::GoOn if self.away.is_none() => {
                self.screen.leave()?;
                self.resume()
            }
            Sign::GoOn => Ok(()),
        }
    }

    /// Gives the terminal back to the shell, until it brings us back.
    fn suspend(&mut self) -> io::Result<()> {
        if self.away.is_some() {
            return Ok(());
        }
        self.screen.leave()?;
        let stopped = job::suspend();
        self.brought_back = stopped;
        self.resume()?;
        if !stopped {
            let text = "there is no shell to go back to".to_owned();
            self.take(Input::News(News::Trouble(text)))?;
        }
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.screen.enter()?;
        screen::set_mouse(self.model.mouse)?;
        self.model.spoil();
        self.draw()
    }
}

/// The end of a visit, if there is one.
async fn visit(away: &mut Option<Visit<'_>>) -> Result<(), Error> {
    match away {
        Some(visit) => visit.await,
        None => std::future::pending().await,
    }
}
