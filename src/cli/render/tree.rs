//! Draws the supervision tree.

use std::fmt::Write as _;

use super::text::{Colour, Paint, clean, cut, width};
use crate::api::tree::Node;

/// The tree below and with `root`; cut to `columns` if there is such a limit.
pub fn tree(root: &Node, columns: Option<usize>, paint: Paint) -> String {
    let mut out = String::new();
    // A stack of its own: how deep the tree is, is not for us to trust.
    let mut todo = vec![(root, String::new(), String::new())];
    while let Some((node, branch, below)) = todo.pop() {
        line(&mut out, node, &branch, columns, paint);
        for (nth, child) in node.children.iter().enumerate().rev() {
            let last = nth + 1 == node.children.len();
            let (fork, beam) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
            todo.push((child, format!("{below}{fork}"), format!("{below}{beam}")));
        }
    }
    out
}

fn line(out: &mut String, node: &Node, branch: &str, columns: Option<usize>, paint: Paint) {
    let mut left = columns.unwrap_or(usize::MAX);
    let mut put = |out: &mut String, text: &str, colour: Option<Colour>| {
        let text = cut(text, left);
        left -= width(&text);
        out.push_str(&colour.map_or_else(|| text.to_string(), |colour| paint.with(colour, &text)));
    };
    put(out, branch, Some(Colour::Dim));
    put(out, &clean(&node.name), None);
    if let Some(strategy) = &node.strategy {
        put(out, &format!("  {}", clean(strategy)), Some(Colour::Dim));
    }
    put(out, &format!("  {}", clean(&node.state)), Some(colour_of(&node.state)));
    if node.restarts > 0 || node.max_restarts.is_some() {
        let restarts = restarts(node);
        let colour = if node.restarts > 0 { Colour::Yellow } else { Colour::Dim };
        put(out, &restarts, Some(colour));
    }
    if let Some(detail) = node.detail.as_deref().filter(|detail| !detail.is_empty()) {
        put(out, &format!("  {}", clean(detail)), None);
    }
    out.push('\n');
}

fn restarts(node: &Node) -> String {
    let mut text = format!("  restarts {}", node.restarts);
    if let Some(most) = node.max_restarts {
        let _infallible = write!(text, "/{most}");
    }
    text
}

fn colour_of(state: &str) -> Colour {
    match state {
        "running" | "healthy" | "completed" => Colour::Green,
        "failed" | "backoff" | "unhealthy" | "degraded" => Colour::Red,
        "stopped" => Colour::Dim,
        _ => Colour::Yellow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tree::Kind;

    const PLAIN: Paint = Paint { colour: false };

    fn node(name: &str, state: &str, children: Vec<Node>) -> Node {
        let kind = if children.is_empty() { Kind::Worker } else { Kind::Supervisor };
        Node {
            name: name.to_owned(),
            kind,
            strategy: (!children.is_empty()).then(|| "one_for_one".to_owned()),
            state: state.to_owned(),
            restarts: 0,
            max_restarts: None,
            window_s: None,
            detail: None,
            children,
        }
    }

    fn small() -> Node {
        let mut process = node("process", "running", Vec::new());
        process.detail = Some("pid 4130".to_owned());
        let mut db = node("service:db", "healthy", vec![process, node("probe", "running", vec![])]);
        db.restarts = 2;
        db.max_restarts = Some(6);
        let web = node("service:web", "waiting", Vec::new());
        let shop = node("project:shop", "starting", vec![db, web]);
        node("locald", "running", vec![node("projects", "running", vec![shop])])
    }

    #[test]
    fn branches_join() {
        insta::assert_snapshot!(tree(&small(), None, PLAIN), @r"
        locald  one_for_one  running
        └── projects  one_for_one  running
            └── project:shop  one_for_one  starting
                ├── service:db  one_for_one  healthy  restarts 2/6
                │   ├── process  running  pid 4130
                │   └── probe  running
                └── service:web  waiting
        ");
    }

    #[test]
    fn lines_fit_the_terminal() {
        let drawn = tree(&small(), Some(20), PLAIN);
        assert!(drawn.lines().all(|line| width(line) <= 20), "{drawn}");
    }

    #[test]
    fn a_very_deep_tree_is_no_danger() {
        let mut deep = node("leaf", "running", Vec::new());
        for _ in 0..2_000 {
            deep = node("n", "running", vec![deep]);
        }
        assert_eq!(tree(&deep, Some(10), PLAIN).lines().count(), 2_001);
    }
}
