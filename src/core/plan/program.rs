//! The program that a service needs, as far as its command tells.

use super::{Run, ServicePlan};

/// What the shell does itself, or what is followed by the program.
const SHELL: [&str; 22] = [
    "cd", "exec", "set", "export", "while", "for", "if", "case", "until", "test", "echo", "printf",
    "env", "eval", "true", "false", "trap", "ulimit", "umask", "read", "wait", "command",
];

impl ServicePlan {
    /// A program that has to be in the `PATH`; none if it is a path, or cannot be told.
    pub fn program(&self) -> Option<&str> {
        let (text, shell) = match &self.run {
            Run::Argv(words) => (words.first()?.head(), false),
            Run::Shell(line) => (line.head().split([' ', '\n', ';']).next()?, true),
            Run::Site { .. } | Run::Provided(_) => return None,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        let name = text.chars().all(plain) && !text.is_empty() && !text.starts_with('.');
        (name && !(shell && SHELL.contains(&text))).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use crate::core::{config::parse_toml, diagnostic::SourceFile, plan::Plan};

    fn program(command: &str) -> Option<String> {
        let text = format!("[project]\nname = \"p\"\n[services.web]\ncommand = {command}\n");
        let source = SourceFile { path: "locald.toml".into(), text };
        let plan = Plan::of(&parse_toml(&source, "p").expect("it is valid"));
        plan.services[0].program().map(str::to_owned)
    }

    #[test]
    fn the_first_word_is_the_program_unless_the_shell_does_it() {
        for (command, name) in [
            ("\"npm run dev\"", Some("npm")),
            ("[\"cargo\", \"run\"]", Some("cargo")),
            ("\"./run.sh\"", None),
            ("\"/bin/cat\"", None),
            ("\"while :; do x; done\"", None),
            ("\"PORT=1 npm start\"", None),
            ("\"$SHELL -c x\"", None),
            ("\"${env.X:-npm} x\"", None),
            ("[\"echo\"]", Some("echo")),
        ] {
            assert_eq!(program(command).as_deref(), name, "{command}");
        }
    }
}
