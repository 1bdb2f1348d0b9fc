//! What keys and the mouse do.

mod go;

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    deed::{Deed, Verb},
    effect::Effect,
    layout::Layout,
    log::{Pattern, Way},
    model::{Model, Pane},
    popup::{Open, Popup},
    prompt::{Prompt, Purpose, Typed},
    rows::Target,
    view::over,
};
use crate::cli::render::text::clean;

/// So many operations may be under way.
const DEEDS: usize = 16;

impl Model {
    pub(super) fn terminal(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Mouse(mouse) => self.mouse_event(mouse),
            Event::Paste(text) => {
                // Elsewhere, text is not to be taken for commands.
                if let Some(prompt) = &mut self.prompt {
                    prompt.add(&text);
                    self.typed(Typed::Changed);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.stale = true;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('z') => return vec![Effect::Suspend],
                KeyCode::Char('l') => return vec![Effect::Redraw],
                KeyCode::Char('c') if self.prompt.is_none() => return vec![Effect::Quit],
                _ => {}
            }
        }
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.key(key);
            self.typed(typed);
            return Vec::new();
        }
        self.word = None;
        if self.popup.is_some() {
            return self.popup_key(key);
        }
        self.command(key)
    }

    /// What became of the line that is typed.
    fn typed(&mut self, typed: Typed) {
        self.stale = true;
        let Some(prompt) = self.prompt.clone() else { return };
        let pattern = Pattern::of(&prompt.text);
        if typed == Typed::Nothing {
            return;
        }
        let found = pattern.is_some();
        match prompt.purpose {
            Purpose::Search if typed == Typed::Left => self.log.set_search(None),
            Purpose::Filter if typed == Typed::Left => self.log.set_filter(None),
            Purpose::Search => self.log.set_search(pattern),
            Purpose::Filter => self.log.set_filter(pattern),
        }
        if typed != Typed::Changed {
            self.prompt = None;
        }
        if typed == Typed::Done && prompt.purpose == Purpose::Search && found {
            self.find(Way::Up);
        }
    }

    fn popup_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if let Some(Open { what: Popup::Confirm(deed), .. }) = &self.popup {
            let deed = deed.clone();
            self.popup = None;
            if let KeyCode::Char('y' | 'Y') = key.code {
                return self.begin(deed);
            }
            self.say("not done");
            return Vec::new();
        }
        let page = usize::from(self.size.height).saturating_sub(4).max(1);
        let last = over::last_top(self);
        let Some(open) = &mut self.popup else { return Vec::new() };
        open.top = open.top.min(last);
        match key.code {
            KeyCode::Char('j') | KeyCode::Down => open.top = open.top.saturating_add(1),
            KeyCode::Char('k') | KeyCode::Up => open.top = open.top.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => open.top = open.top.saturating_add(page),
            KeyCode::PageUp => open.top = open.top.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => open.top = 0,
            KeyCode::End | KeyCode::Char('G') => open.top = usize::MAX,
            KeyCode::Char('q' | '?' | 'w' | 'e') | KeyCode::Esc | KeyCode::Enter => {
                return self.close();
            }
            _ => {}
        }
        if open.top >= last && matches!(open.what, Popup::Events(_)) {
            // At the end it stays at the end.
            open.top = usize::MAX;
        }
        Vec::new()
    }

    fn command(&mut self, key: KeyEvent) -> Vec<Effect> {
        if self.moved(key) {
            return Vec::new();
        }
        let KeyCode::Char(c) = key.code else {
            match key.code {
                KeyCode::Esc => self.step_back(),
                KeyCode::Enter => self.set_zoom(!self.zoom),
                _ => {}
            }
            return Vec::new();
        };
        match c {
            'q' => vec![Effect::Quit],
            's' => self.act(Verb::Start, false),
            'S' => self.act(Verb::Stop, false),
            'r' => self.act(Verb::Restart, false),
            'u' => self.act(Verb::Start, true),
            'x' => self.act(Verb::Stop, true),
            'R' => self.act(Verb::Restart, true),
            'a' => self.attach(),
            'o' => self.open_url(),
            'w' => self.ask_why(),
            'e' => {
                self.popup = Some(Open::new(Popup::Events(VecDeque::new())));
                vec![Effect::Events(true)]
            }
            't' => {
                self.tree_shown = !self.tree_shown;
                vec![Effect::Tree(self.tree_shown)]
            }
            'm' => {
                self.mouse = !self.mouse;
                self.say(if self.mouse {
                    "the mouse selects and scrolls here; `m` gives it back to the terminal"
                } else {
                    "the mouse is the terminal's: it selects text"
                });
                vec![Effect::Mouse(self.mouse)]
            }
            _ => {
                self.look(c);
                Vec::new()
            }
        }
    }

    /// Keys that only change what is seen.
    fn look(&mut self, c: char) {
        match c {
            '?' => self.popup = Some(Open::new(Popup::Help)),
            '/' => self.prompt = Some(Prompt::new(Purpose::Search)),
            '&' => self.prompt = Some(Prompt::new(Purpose::Filter)),
            'n' => self.find(Way::Down),
            'N' => self.find(Way::Up),
            'f' if self.log.follows() => self.log.hold(Layout::of(self).view(self)),
            'f' => self.log.follow(),
            'z' => (self.wrap, self.left) = (!self.wrap, 0),
            'l' => self.merged = !self.merged,
            _ => {}
        }
    }

    /// Undoes one thing after the other.
    fn step_back(&mut self) {
        if self.log.search().is_some() {
            self.log.set_search(None);
        } else if self.log.filter().is_some() {
            self.log.set_filter(None);
        } else if self.zoom {
            self.set_zoom(false);
        } else {
            self.log.follow();
        }
    }

    fn set_zoom(&mut self, zoom: bool) {
        self.zoom = zoom;
        self.focus = match (zoom, self.tree_shown) {
            (true, _) => Pane::Logs,
            (false, true) => Pane::Tree,
            (false, false) => Pane::Table,
        };
    }

    fn find(&mut self, way: Way) {
        let view = Layout::of(self).view(self);
        let Some(text) = self.log.search().map(|search| search.text.clone()) else {
            self.say("`/` searches");
            return;
        };
        match self.log.find(way, view) {
            Some((nth, all)) => self.say(format!("{text}: {nth} of {all}")),
            None => self.complain(format!("no line has {text}")),
        }
    }

    /// Does something to what is selected, or to its whole project.
    fn act(&mut self, verb: Verb, whole: bool) -> Vec<Effect> {
        let Some(deed) = self.deed(verb, whole) else {
            self.say("nothing is selected");
            return Vec::new();
        };
        if deed.service.is_none() && verb != Verb::Start {
            self.popup = Some(Open::new(Popup::Confirm(deed)));
            return Vec::new();
        }
        self.begin(deed)
    }

    fn deed(&self, verb: Verb, whole: bool) -> Option<Deed> {
        let Some(target) = &self.selected else {
            // A project that is not up can be started.
            let dir = self.here.clone().filter(|_| verb == Verb::Start)?;
            let project = dir.file_name()?.to_string_lossy().into_owned();
            return Some(Deed { verb, dir, project, service: None });
        };
        Some(Deed {
            verb,
            dir: target.dir.clone(),
            project: target.project.clone(),
            service: target.service.clone().filter(|_| !whole),
        })
    }

    fn begin(&mut self, deed: Deed) -> Vec<Effect> {
        if let Some(why) = &self.gone {
            self.complain(format!("not now: {}", clean(why)));
            return Vec::new();
        }
        if self.busy.contains(&deed) || self.busy.len() >= DEEDS {
            self.say(format!("already {}", deed.under_way()));
            return Vec::new();
        }
        self.busy.push(deed.clone());
        vec![Effect::Do(deed)]
    }

    fn attach(&mut self) -> Vec<Effect> {
        if let Some(one) = self.selected.as_ref().and_then(Target::one) {
            return vec![Effect::Attach(one)];
        }
        self.say("select a service to attach to");
        Vec::new()
    }

    fn open_url(&mut self) -> Vec<Effect> {
        match self.service().map(|service| service.url.clone()) {
            Some(Some(url)) => vec![Effect::Open(url)],
            Some(None) => {
                self.say("this service has no URL");
                Vec::new()
            }
            None => {
                self.say("select a service whose URL to open");
                Vec::new()
            }
        }
    }

    fn ask_why(&mut self) -> Vec<Effect> {
        let Some(one) = self.selected.as_ref().and_then(Target::one) else {
            self.say("select a service to ask about");
            return Vec::new();
        };
        self.popup = Some(Open::new(Popup::Why(one.clone(), Vec::new())));
        vec![Effect::Why(Some(one))]
    }
}
