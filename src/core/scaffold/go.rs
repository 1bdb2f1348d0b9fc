//! Go: `go run .`, as a server if the program mentions one.

use super::{Folder, Proposal};

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let (Some(module), Some(main)) = (folder.text("go.mod"), folder.text("main.go")) else {
        return Vec::new();
    };
    let libraries = ["gin-gonic", "labstack/echo", "gofiber", "go-chi"];
    let serves = ["net/http", "PORT"].iter().any(|it| main.contains(it))
        || libraries.iter().any(|it| module.contains(it));
    vec![if serves {
        Proposal::web("main.go; it is expected to listen on PORT")
            .with("command", "go run .")
            .with_toml("watch", "[\"**/*.go\", \"go.mod\"]")
    } else {
        Proposal::new("main", "main.go does not look as if it listened")
            .with("type", "worker")
            .with("command", "go run .")
    }]
}
