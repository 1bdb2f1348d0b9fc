//! Ruby: Rails, or anything with a `config.ru`.

use super::{Folder, Proposal};

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    if folder.has("bin/rails") {
        let prepare =
            Proposal::new("prepare", "creates and migrates the database before the server starts")
                .with("type", "task")
                .with("command", "bin/rails db:prepare");
        let web = Proposal::web("Rails")
            .with("command", "bin/rails server --binding 127.0.0.1 --port $PORT")
            .needing("prepare");
        return vec![prepare, web];
    }
    if !folder.has("config.ru") {
        return Vec::new();
    }
    let bundled = if folder.has("Gemfile") { "bundle exec " } else { "" };
    let command = format!("{bundled}rackup --host 127.0.0.1 --port $PORT");
    vec![Proposal::web("config.ru").with("command", &command)]
}
