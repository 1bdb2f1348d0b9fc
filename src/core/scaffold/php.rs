//! PHP: Laravel, or PHP's own server.

use super::{Folder, Proposal};

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    if folder.has("artisan") {
        let command = "php artisan serve --host=127.0.0.1 --port=$PORT";
        return vec![Proposal::web("Laravel").with("command", command)];
    }
    let public = folder.has("public/index.php");
    if !public && !folder.has("composer.json") {
        return Vec::new();
    }
    let root = if public { "public" } else { "." };
    let command = format!("php -S 127.0.0.1:$PORT -t {root}");
    vec![Proposal::web("PHP's own server").with("command", &command)]
}
