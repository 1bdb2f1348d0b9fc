//! A line that a person types at the foot of the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longer than this nothing becomes.
const LONGEST: usize = 200;

/// What the line is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To be found.
    Search,
    /// To be all that is shown.
    Filter,
}

/// The line so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// What was typed.
    pub text: String,
}

/// What a key did to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Typed {
    /// There is another text.
    Changed,
    /// It is done.
    Done,
    /// It is given up.
    Left,
    /// Nothing.
    Nothing,
}

impl Prompt {
    /// An empty one.
    pub fn new(purpose: Purpose) -> Self {
        Self { purpose, text: String::new() }
    }

    /// What stands before the text.
    pub fn mark(&self) -> &'static str {
        match self.purpose {
            Purpose::Search => "/",
            Purpose::Filter => "only lines with: ",
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Typed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Typed::Done,
            KeyCode::Esc => return Typed::Left,
            KeyCode::Char('c' | 'g') if control => return Typed::Left,
            KeyCode::Char('u') if control => self.text.clear(),
            KeyCode::Char('w') if control => {
                let kept = self.text.trim_end();
                self.text.truncate(kept.rfind(' ').map_or(0, |at| at + 1));
            }
            KeyCode::Char('h') if control => drop(self.text.pop()),
            // As vi does: what is not there cannot be taken away.
            KeyCode::Backspace if self.text.is_empty() => return Typed::Left,
            KeyCode::Backspace => drop(self.text.pop()),
            KeyCode::Char(c) if !control => self.add(&c.to_string()),
            _ => return Typed::Nothing,
        }
        Typed::Changed
    }

    /// Takes text from elsewhere, up to its first line end.
    pub fn add(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.chars().count());
        let line = text.lines().next().unwrap_or_default();
        self.text.extend(line.chars().filter(|c| !c.is_control()).take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_and_mended() {
        let mut prompt = Prompt::new(Purpose::Search);
        let mut press = |code, modifiers| {
            let typed = prompt.key(KeyEvent::new(code, modifiers));
            (typed, prompt.text.clone())
        };
        let plain = KeyModifiers::NONE;
        for c in "no way".chars() {
            press(KeyCode::Char(c), plain);
        }
        let word = press(KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(word, (Typed::Changed, "no ".to_owned()));
        assert_eq!(press(KeyCode::Backspace, plain), (Typed::Changed, "no".to_owned()));
        assert_eq!(press(KeyCode::Char('u'), KeyModifiers::CONTROL).1, "");
        assert_eq!(press(KeyCode::Backspace, plain).0, Typed::Left);
        assert_eq!(press(KeyCode::Enter, plain).0, Typed::Done);
        assert_eq!(press(KeyCode::Esc, plain).0, Typed::Left);
    }

    #[test]
    fn what_is_pasted_is_one_line_and_not_too_long() {
        let mut prompt = Prompt::new(Purpose::Filter);
        prompt.add("a\x1bb\nrm -rf");
        assert_eq!(prompt.text, "ab");
        prompt.add(&"x".repeat(1_000));
        assert_eq!(prompt.text.len(), LONGEST);
    }
}
