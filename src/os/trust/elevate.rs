//! Asks for the rights of root, for one deed.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::os::tool;

/// What root does with a root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Adds it to the store of the system.
    Install,
    /// Takes it out.
    Uninstall,
}

/// What came of it.
#[derive(Debug)]
pub enum Asked {
    /// It was run and said so on its standard output.
    Ran(Vec<u8>),
    /// Nobody to ask, or the answer is no; in words.
    Refused(String),
}

impl Deed {
    /// The argument of `locald trust-system`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Uninstall => "uninstall",
        }
    }
}

/// Runs this very program as root with `trust-system DEED`, and hands it the certificate, so that root reads no
/// file that somebody could have exchanged. Asks for a password where there is a terminal.
pub fn ask_root(deed: Deed, pem: &str) -> Asked {
    let top = Path::new("/");
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok();
    let wrapped = Path::new("/run/wrappers/bin/sudo");
    let sudo = if wrapped.exists() { Some(wrapped.to_owned()) } else { tool::find(top, "sudo") };
    let Some(program) = sudo.or_else(|| tool::find(top, "doas")) else {
        return Asked::Refused("it takes root, and there is neither sudo nor doas".to_owned());
    };
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match run(&program, deed, pem, terminal) {
        Ok(Some(out)) => Asked::Ran(out),
        Ok(None) if !terminal => Asked::Refused(format!(
            "it takes root, and there is no terminal on which {name} could ask for a password"
        )),
        Ok(None) => Asked::Refused(format!("{name} did not run it")),
        Err(error) => Asked::Refused(format!("cannot run {}: {error}", program.display())),
    }
}

fn run(program: &Path, deed: Deed, pem: &str, terminal: bool) -> io::Result<Option<Vec<u8>>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it needs our terminal, which os::spawn takes away"
    )]
    let mut command = Command::new(program);
    if !terminal {
        command.arg("-n");
    }
    command.arg("--").arg(env::current_exe()?).args(["trust-system", deed.word()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that refuses does not read; then its exit code tells.
        let _read = stdin.write_all(pem.as_bytes());
    }
    let output = child.wait_with_output()?;
    Ok((!output.stdout.is_empty()).then_some(output.stdout))
}
