//! The colours of the other commands, as styles.

use ratatui::style::{Color, Modifier, Style};

use crate::{
    api::status::{ProjectState, ServiceState},
    cli::render::text::{self, Colour},
};

/// The style that is a colour.
pub(super) fn colour(colour: Colour) -> Style {
    let style = Style::default();
    match colour {
        Colour::Red => style.fg(Color::Red),
        Colour::Green => style.fg(Color::Green),
        Colour::Yellow => style.fg(Color::Yellow),
        Colour::Cyan => style.fg(Color::Cyan),
        Colour::Dim => style.add_modifier(Modifier::DIM),
        Colour::Bold => style.add_modifier(Modifier::BOLD),
        Colour::Nth(nth) => {
            let all =
                [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::Red];
            style.fg(all[nth % all.len()])
        }
    }
}

/// The style of a service's state.
pub(super) fn service_style(state: ServiceState) -> Style {
    colour(text::state_colour(state))
}

/// The style of a project's state.
pub(super) fn project_style(state: ProjectState) -> Style {
    colour(text::project_colour(state))
}
