//! Log lines with prefixes, for a person or a file.

use std::collections::HashMap;

use super::text::{Colour, Paint, pad, width, without_escapes};
use crate::api::log::Line;

/// How to print log lines.
#[derive(Debug)]
pub struct LogFormat {
    /// Colours. Without them the services' own are removed as well.
    pub paint: Paint,
    /// Whether each line says when it was written.
    pub timestamps: bool,
    /// Whether each line says which service wrote it, and how wide that is.
    pub prefix: Option<usize>,
    colours: HashMap<String, usize>,
}

impl LogFormat {
    /// For the lines of `services`; none known: any number of them.
    pub fn new<'a>(
        services: impl Iterator<Item = &'a str>,
        paint: Paint,
        timestamps: bool,
    ) -> Self {
        let mut colours = HashMap::new();
        let mut widest = 0;
        for name in services {
            let next = colours.len();
            colours.entry(name.to_owned()).or_insert(next);
            widest = widest.max(width(name));
        }
        Self { paint, timestamps, prefix: (colours.len() != 1).then_some(widest), colours }
    }

    /// One line with its line end.
    pub fn line(&mut self, line: &Line) -> String {
        let mut text = String::with_capacity(line.line.len() + 32);
        if self.timestamps {
            text.push_str(&self.paint.with(Colour::Dim, &line.at));
            text.push(' ');
        }
        if let Some(columns) = self.prefix {
            let next = self.colours.len();
            let nth = *self.colours.entry(line.service.clone()).or_insert(next);
            let name = pad(&line.service, columns);
            text.push_str(&self.paint.with(Colour::Nth(nth), &format!("{name} |")));
            text.push(' ');
        }
        if self.paint.colour {
            text.push_str(&line.line);
            if line.line.contains('\x1b') {
                // What this line left switched on is not to colour the next.
                text.push_str("\x1b[0m");
            }
        } else {
            text.push_str(&without_escapes(&line.line));
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::log::Stream;

    fn line(service: &str, text: &str) -> Line {
        Line {
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            project: "shop".to_owned(),
            service: service.to_owned(),
            stream: Stream::Out,
            line: text.to_owned(),
        }
    }

    #[test]
    fn several_services_are_told_apart() {
        let names = ["web", "worker"];
        let mut format = LogFormat::new(names.into_iter(), Paint { colour: false }, false);
        assert_eq!(format.line(&line("web", "\x1b[32mup\x1b[0m")), "web    | up\n");
        assert_eq!(format.line(&line("worker", "up")), "worker | up\n");

        let mut format = LogFormat::new(names.into_iter(), Paint { colour: true }, false);
        assert_eq!(
            format.line(&line("worker", "\x1b[31mred")),
            "\x1b[33mworker |\x1b[0m \x1b[31mred\x1b[0m\n"
        );
    }

    #[test]
    fn one_service_needs_no_prefix() {
        let mut format = LogFormat::new(["web"].into_iter(), Paint { colour: false }, true);
        assert_eq!(format.line(&line("web", "up")), "2026-01-01T00:00:00.000Z up\n");
    }
}
