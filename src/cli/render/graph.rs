//! The dependency graph as text, for Graphviz and for Mermaid.

use std::{collections::HashMap, fmt::Write as _};

use super::text::{pad, width};
use crate::api::graph::{Edge, Graph};

impl Graph {
    /// For reading: each service, and below it what it needs.
    pub fn text(&self) -> String {
        let most = self.nodes.iter().map(|node| width(node)).max().unwrap_or(0);
        let mut needs: HashMap<&str, Vec<&Edge>> = HashMap::new();
        for edge in &self.edges {
            needs.entry(&edge.from).or_default().push(edge);
        }
        let mut out = String::new();
        for node in &self.nodes {
            let _infallible = writeln!(out, "{node}");
            for edge in needs.get(node.as_str()).into_iter().flatten() {
                let to = pad(&edge.to, most);
                let _infallible = writeln!(out, "  → {to}  {}, {}", edge.condition, edge.bond);
            }
        }
        out
    }

    /// For `dot`.
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph locald {\n");
        for node in &self.nodes {
            let _infallible = writeln!(out, "  \"{node}\";");
        }
        for Edge { from, to, condition, bond } in &self.edges {
            let label = format!("{condition}, {bond}");
            let _infallible = writeln!(out, "  \"{from}\" -> \"{to}\" [label=\"{label}\"];");
        }
        out.push_str("}\n");
        out
    }

    /// For Mermaid. Names are labels there, since some names are its keywords.
    pub fn mermaid(&self) -> String {
        let number: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(nth, node)| (node.as_str(), nth)).collect();
        let mut out = String::from("graph TD\n");
        for (nth, node) in self.nodes.iter().enumerate() {
            let _infallible = writeln!(out, "  s{nth}[\"{node}\"]");
        }
        for edge in &self.edges {
            let ends = (number.get(edge.from.as_str()), number.get(edge.to.as_str()));
            if let (Some(from), Some(to)) = ends {
                let (condition, bond) = (&edge.condition, &edge.bond);
                let _infallible = writeln!(out, "  s{from} -->|\"{condition}, {bond}\"| s{to}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let edge = |from: &str, to: &str, condition: &str| Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            condition: condition.to_owned(),
            bond: "crash".to_owned(),
        };
        Graph {
            nodes: ["web", "end", "db"].map(str::to_owned).into(),
            edges: vec![edge("web", "end", "completed"), edge("web", "db", "healthy")],
        }
    }

    #[test]
    fn every_format_has_all_nodes_and_edges() {
        insta::assert_snapshot!(graph().text(), @r"
        web
          → end  completed, crash
          → db   healthy, crash
        end
        db
        ");
        insta::assert_snapshot!(graph().dot(), @r#"
        digraph locald {
          "web";
          "end";
          "db";
          "web" -> "end" [label="completed, crash"];
          "web" -> "db" [label="healthy, crash"];
        }
        "#);
        insta::assert_snapshot!(graph().mermaid(), @r#"
        graph TD
          s0["web"]
          s1["end"]
          s2["db"]
          s0 -->|"completed, crash"| s1
          s0 -->|"healthy, crash"| s2
        "#);
        let json = serde_json::to_string(&graph()).expect("plain data");
        assert!(
            json.starts_with(
                r#"{"nodes":["web","end","db"],"edges":[{"from":"web","to":"end","condition""#
            ),
            "{json}"
        );
    }
}
