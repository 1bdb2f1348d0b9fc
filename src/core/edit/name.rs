//! The name that a command suggests for its service.

use crate::core::id::{ServiceName, slug};

/// Programs and words that say how to run something, not what.
const RUNNERS: [&str; 29] = [
    "bash", "bin", "bun", "bundle", "bunx", "cargo", "composer", "deno", "exec", "env", "go",
    "make", "node", "npm", "npx", "php", "pipenv", "pnpm", "poetry", "python", "python3", "rake",
    "ruby", "run", "sh", "task", "uv", "x", "yarn",
];

/// Endings of scripts.
const SCRIPTS: [&str; 9] = [".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".sh", ".php", ".go"];

/// The first word that says what is run: `npm run dev` → `dev`, `python3 src/app.py` → `app`; `web` if
/// none does.
pub fn name_of(command: &[String]) -> Option<ServiceName> {
    let line = command.join(" ");
    let telling = |word: &&str| {
        let program = word.rsplit('/').next().unwrap_or(word);
        !word.starts_with('-') && !word.contains('=') && !RUNNERS.contains(&program)
    };
    let first = line.split_whitespace().find(telling);
    let name = first.map(stem).and_then(slug).unwrap_or_else(|| "web".to_owned());
    ServiceName::parse(&name).ok()
}

fn stem(word: &str) -> &str {
    let file = word.trim_end_matches('/').rsplit('/').next().unwrap_or(word);
    SCRIPTS.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file)
}
