//! Python: Django, `FastAPI`, Flask, or a script that serves.

use super::{Folder, Proposal};

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let python = python(folder);
    if folder.text("manage.py").is_some_and(|text| text.contains("django")) {
        return django(&python);
    }
    let needs =
        ["requirements.txt", "pyproject.toml"].map(|file| folder.text(file).unwrap_or_default());
    let needs = needs.concat().to_lowercase();
    let script = ["main.py", "app.py"].iter().find_map(|it| Some((*it, folder.text(it)?)));
    let Some((file, text)) = script else { return Vec::new() };
    let module = file.trim_end_matches(".py");
    let found = |name: &str| needs.contains(name) || text.contains(&format!("import {name}"));
    if let Some(app) = assigned(text, "FastAPI(").or_else(|| assigned(text, "Starlette(")) {
        let command = format!("{python} -m uvicorn {module}:{app} --reload --port $PORT");
        return vec![
            Proposal::web(format!("`{app}` in {file}, served by uvicorn"))
                .with("command", &command),
        ];
    }
    if let Some(app) = assigned(text, "Flask(") {
        let command = format!("{python} -m flask --app {module}:{app} run --debug --port $PORT");
        return vec![
            Proposal::web(format!("`{app}` in {file}, served by Flask")).with("command", &command),
        ];
    }
    let serves = text.contains("PORT") || found("http.server") || text.contains("http.server");
    let command = format!("{python} {file}");
    vec![if serves {
        Proposal::web(file).note("It is expected to listen on PORT.").with("command", &command)
    } else {
        Proposal::new(module, format!("{file} does not look as if it listened"))
            .with("type", "worker")
            .with("command", &command)
    }]
}

fn django(python: &str) -> Vec<Proposal> {
    let migrate = Proposal::new("migrate", "migrations run before the server starts")
        .with("type", "task")
        .with("command", &format!("{python} manage.py migrate --noinput"));
    let web = Proposal::web("Django's development server reloads by itself")
        .with("command", &format!("{python} manage.py runserver 127.0.0.1:$PORT"))
        .needing("migrate");
    vec![migrate, web]
}

/// The interpreter with the project's packages.
fn python(folder: &Folder) -> String {
    let here = [
        ("uv.lock", "uv run python"),
        ("poetry.lock", "poetry run python"),
        (".venv/bin/python", ".venv/bin/python"),
        ("venv/bin/python", "venv/bin/python"),
    ];
    here.iter()
        .find(|(file, _)| folder.has(file))
        .map_or("python3", |(_, python)| python)
        .to_owned()
}

/// The variable that `call` is assigned to at the top of a script.
fn assigned<'t>(text: &'t str, call: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next().unwrap_or(name).trim_end();
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (plain && value.trim_start().starts_with(call)).then_some(name)
    })
}
