//! The proposal as the text of a `locald.toml`.

use super::Proposal;
use crate::core::id::ProjectName;

/// The whole file.
pub fn text(project: &ProjectName, proposals: &[Proposal]) -> String {
    let mut text = format!(
        "# `locald up` starts this project, `locald check` checks this file, `locald schema` describes it.\n\n\
         [project]\nname = \"{project}\"\n"
    );
    text.extend(proposals.iter().map(table));
    if proposals.is_empty() {
        text += "\n# Nothing here says how to start this project. A service, for example:\n\
                 # [services.web]\n# command = \"npm run dev\"   # listens on $PORT\n";
    }
    text
}

fn table(proposal: &Proposal) -> String {
    let mut lines = vec![String::new()];
    lines.extend(proposal.why.iter().map(|line| format!("# {line}")));
    lines.push(format!("[services.{}]", proposal.name));
    lines.extend(proposal.keys.iter().map(|(key, value)| format!("{key} = {value}")));
    if !proposal.needs.is_empty() {
        let needs: Vec<String> = proposal.needs.iter().map(|name| quoted(name)).collect();
        lines.push(format!("depends_on = [{}]", needs.join(", ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
