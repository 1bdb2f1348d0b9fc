//! One attempt at finding out whether a service answers, with a deadline and a reason made for people.

mod command;
mod http;
mod http2;
mod tcp;

use std::time::Duration;

pub use command::{command, judge};
pub use http::{Unanswered, http};
pub use http2::http2;
pub use tcp::tcp;

/// "no answer within 1 s".
fn no_answer(timeout: Duration) -> String {
    format!("no answer within {}", seconds(timeout))
}

fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", duration.as_secs_f64())
    }
}
