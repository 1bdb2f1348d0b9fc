//! A manual page of a command: what clap knows of it, its examples, and where to read on.

use std::{fmt::Write as _, io};

use clap::Command;
use clap_mangen::Man;

/// For the page of the program itself.
const ENDS: &str = "\
.SH \"EXIT STATUS\"
.TP
0
Done.
.TP
1
The operation failed: a service is not healthy, or the like.
.TP
2
Bad usage: an unknown flag, command or service.
.TP
3
No daemon is running, or it cannot start.
.TP
4
The configuration has errors.
.TP
5
Timed out.
.TP
130
Interrupted; the services are left as they are.
.SH ENVIRONMENT
.TP
LOCALD_HOME
A folder for all that locald keeps, instead of those of XDG.
.TP
LOCALD_SOCKET
The socket of the daemon.
.TP
LOCALD_HTTP_PORT, LOCALD_HTTPS_PORT
The ports of the proxy; 0 is any.
.TP
CI
If it is true, lines are plain also on a terminal.
.TP
NO_COLOR
If it is not empty, there are no colours.
.SH FILES
.TP
locald.toml
The configuration of a project, in its folder.
.TP
$XDG_CONFIG_HOME/locald/config.toml
The global configuration.
.TP
$XDG_STATE_HOME/locald/logs/PROJECT/SERVICE.log
What a service wrote.
";

/// The page, as roff.
pub fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("locald").source(SOURCE).date(DATE);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(examples) = command.get_after_help() {
        page.extend_from_slice(as_written(&examples.to_string()).as_bytes());
    }
    let is_program = !command.get_bin_name().is_some_and(|name| name.contains(' '));
    page.extend_from_slice(if is_program { ENDS.as_bytes() } else { SEE_ALSO.as_bytes() });
    // Before its lists of values clap breaks a line thrice, which mandoc finds odd.
    Ok(String::from_utf8_lossy(&page).replace(".br\n\n.br\n", ".sp\n").into_bytes())
}

/// The day of no release yet: pages of one program are the same whenever they are made.
const DATE: &str = "2026-11-30";

const SOURCE: &str = concat!("locald ", env!("CARGO_PKG_VERSION"));

const SEE_ALSO: &str = ".SH \"SEE ALSO\"\n.BR locald (1)\n";

/// Text whose lines stay as they are, below a heading of its own.
fn as_written(text: &str) -> String {
    let mut roff = String::from(".SH EXAMPLES\n.nf\n");
    for line in text.lines().skip(1) {
        let line = line.strip_prefix("  ").unwrap_or(line).replace('\\', "\\e").replace('-', "\\-");
        let line = line.replace('\'', "\\(aq").replace('`', "\\(ga");
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        let _infallible = writeln!(roff, "{guard}{line}");
    }
    roff + ".fi\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_stay_as_they_are_and_command_nothing() {
        let text = "Examples:\n  a 'b' \\n --c\n  .so /etc/passwd";
        let roff = ".SH EXAMPLES\n.nf\na \\(aqb\\(aq \\en \\-\\-c\n\\&.so /etc/passwd\n.fi\n";
        assert_eq!(as_written(text), roff);
    }
}
