//! Each kind of project: what is proposed, and that the proposal is sound.

use std::path::PathBuf;

use super::*;
use crate::core::{config::parse_toml, diagnostic::SourceFile, id::ProjectName};

fn folder(files: &[(&str, &str)]) -> Folder {
    let (places, files): (Vec<_>, Vec<_>) =
        files.iter().partition(|(name, _)| TELLING_PLACES.contains(name));
    Folder {
        path: String::new(),
        files: files
            .into_iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        places: places.into_iter().map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// The services as lines, after they were checked.
fn written(folders: &[Folder]) -> String {
    let name = ProjectName::parse("p").expect("a name");
    let text = text(&name, &propose(folders));
    let source = SourceFile { path: PathBuf::from("locald.toml"), text: text.clone() };
    if let Err(wrong) = parse_toml(&source, "p") {
        let provisioned =
            |it: &crate::core::diagnostic::Diagnostic| it.message.contains("not supported yet");
        assert!(wrong.iter().all(provisioned), "{wrong:?} in {text}");
    }
    let (_, services) = text.split_once("name = \"p\"\n").expect("it begins so");
    let told = services.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    told.collect::<Vec<_>>().join("\n")
}

fn of(files: &[(&str, &str)]) -> String {
    written(&[folder(files)])
}

#[test]
fn a_procfile_is_taken_over_line_by_line() {
    let text = "# c\nrelease: bin/migrate\nweb: bin/web -p $PORT\nJobs Queue: echo $$ ${A}\n";
    assert_eq!(
        of(&[("Procfile", text), ("package.json", "{}")]),
        "[services.release]\ntype = \"task\"\ncommand = \"bin/migrate\"\n\
         [services.web]\ncommand = \"bin/web -p $PORT\"\ndepends_on = [\"release\"]\n\
         [services.jobs-queue]\ntype = \"worker\"\ncommand = \"echo $$$$ ${A}\"\ndepends_on = [\"release\"]"
    );
}

#[test]
fn a_package_is_started_by_its_manager_and_a_deaf_server_is_told_its_port() {
    let package =
        |more: &str| format!("{{\"scripts\": {{\"dev\": \"x\", \"start\": \"y\"}}{more}}}");
    let command = |files: &[(&str, &str)]| {
        of(files).strip_prefix("[services.web]\ncommand = ").expect("one service").to_owned()
    };
    let plain = package("");
    assert_eq!(command(&[("package.json", &plain)]), "\"npm run dev\"");
    for (lock, expected) in [
        ("pnpm-lock.yaml", "\"pnpm run dev\""),
        ("yarn.lock", "\"yarn run dev\""),
        ("bun.lockb", "\"bun run dev\""),
    ] {
        assert_eq!(command(&[("package.json", &plain), (lock, "")]), expected);
    }
    let vite = package(", \"devDependencies\": {\"vite\": \"7\"}");
    assert_eq!(command(&[("package.json", &vite)]), "\"npm run dev -- --port $PORT\"");
    let pnpm = package(", \"dependencies\": {\"vite\": \"7\"}, \"packageManager\": \"pnpm@9\"");
    assert_eq!(command(&[("package.json", &pnpm)]), "\"pnpm run dev --port $PORT\"");
    assert_eq!(of(&[("package.json", "{\"scripts\": {\"test\": \"x\"}}")]), "");
    assert_eq!(of(&[("package.json", "not JSON")]), "");
    let deno = "{ // tasks\n \"tasks\": { \"start\": \"x\" } }";
    assert_eq!(command(&[("deno.json", deno)]), "\"deno task start\"");
}

#[test]
fn python_projects_are_known_by_their_framework_and_their_interpreter() {
    let django = [("manage.py", "import django"), (".venv/bin/python", "")];
    assert_eq!(
        of(&django),
        "[services.migrate]\ntype = \"task\"\ncommand = \".venv/bin/python manage.py migrate --noinput\"\n\
         [services.web]\ncommand = \".venv/bin/python manage.py runserver 127.0.0.1:$PORT\"\n\
         depends_on = [\"migrate\"]"
    );
    for (files, expected) in [
        (
            [("main.py", "api: FastAPI = FastAPI()"), ("uv.lock", "")],
            "uv run python -m uvicorn main:api --reload --port $PORT",
        ),
        (
            [("app.py", "app = Flask(__name__)"), ("poetry.lock", "")],
            "poetry run python -m flask --app app:app run --debug --port $PORT",
        ),
        ([("app.py", "from http.server import x"), ("Gemfile", "")], "python3 app.py"),
    ] {
        assert_eq!(of(&files), format!("[services.web]\ncommand = \"{expected}\""));
    }
    let worker = "[services.main]\ntype = \"worker\"\ncommand = \"python3 main.py\"";
    assert_eq!(of(&[("main.py", "print(1)")]), worker);
}

#[test]
fn other_languages_have_their_own_words() {
    let rails = of(&[("bin/rails", ""), ("config.ru", ""), ("Gemfile", "")]);
    assert!(rails.contains("bin/rails server --binding 127.0.0.1 --port $PORT"), "{rails}");
    let rack = of(&[("config.ru", ""), ("Gemfile", "")]);
    assert!(rack.contains("\"bundle exec rackup --host 127.0.0.1 --port $PORT\""), "{rack}");
    assert!(of(&[("artisan", ""), ("composer.json", "")]).contains("php artisan serve"));
    assert!(of(&[("public/index.php", "")]).contains("php -S 127.0.0.1:$PORT -t public"));
    let cargo = "[package]\nname = \"My App\"\n[dependencies]\naxum = \"0.8\"\n";
    assert!(of(&[("Cargo.toml", cargo), ("src/main.rs", "")]).starts_with("[services.web]"));
    let plain = of(&[("Cargo.toml", "[package]\nname = \"My App\"\n"), ("src/main.rs", "")]);
    assert_eq!(plain, "[services.my-app]\ntype = \"worker\"\ncommand = \"cargo run\"");
    assert_eq!(of(&[("Cargo.toml", cargo)]), "", "a library is not run");
    let go = of(&[("go.mod", "module x"), ("main.go", "import \"net/http\"")]);
    assert!(go.starts_with("[services.web]\ncommand = \"go run .\""), "{go}");
    let site = of(&[("index.html", "")]);
    assert_eq!(site, "[services.web]\ntype = \"site\"\npath = \".\"");
}

#[test]
fn a_database_of_a_compose_file_is_provided_and_told_to_the_programs() {
    let compose = "services:\n  db:\n    image: 'docker.io/library/postgres:16-alpine'\n";
    let both = of(&[("compose.yaml", compose), ("Procfile", "web: x\n")]);
    assert_eq!(
        both,
        "[services.web]\ncommand = \"x\"\nenv = { DATABASE_URL = \"${services.db.url}\" }\n\
         [services.db]\ntype = \"postgres\"\nversion = \"16\""
    );
    assert_eq!(of(&[("compose.yaml", "image: postgresql-thing")]), "");
    for image in ["redis:7-alpine", "redis", "valkey/valkey:8", "docker.io/bitnami/redis:7.2"] {
        let compose =
            format!("services:\n  cache:\n    image: {image}\n  db:\n    image: postgres\n");
        assert_eq!(
            of(&[("compose.yaml", &compose), ("Procfile", "web: x\ndb: y\n")]),
            "[services.web]\ncommand = \"x\"\nenv = { DATABASE_URL = \"${services.db-2.url}\", \
             REDIS_URL = \"${services.redis.url}\" }\n\
             [services.db]\ntype = \"worker\"\ncommand = \"y\"\n\
             env = { DATABASE_URL = \"${services.db-2.url}\", REDIS_URL = \"${services.redis.url}\" }\n\
             [services.db-2]\ntype = \"postgres\"\n[services.redis]\ntype = \"redis\"",
            "{image}"
        );
    }
    assert_eq!(of(&[("compose.yaml", "image: redis/redis-stack:7")]), "");
}

#[test]
fn folders_below_count_when_the_project_itself_says_nothing() {
    let mut api = folder(&[("manage.py", "django")]);
    api.path = "Back End".to_owned();
    let mut site = folder(&[("index.html", "")]);
    site.path = "docs".to_owned();
    assert_eq!(
        written(&[Folder::default(), api.clone(), site]),
        "[services.back-end-migrate]\ntype = \"task\"\ncommand = \"python3 manage.py migrate --noinput\"\n\
         workdir = \"Back End\"\n[services.back-end]\ncommand = \"python3 manage.py runserver 127.0.0.1:$PORT\"\n\
         workdir = \"Back End\"\ndepends_on = [\"back-end-migrate\"]\n\
         [services.docs]\ntype = \"site\"\npath = \"docs\""
    );
    assert_eq!(
        written(&[folder(&[("Procfile", "web: x")]), api]),
        "[services.web]\ncommand = \"x\""
    );
}

#[test]
fn nothing_found_is_a_file_that_says_how_to_go_on() {
    let text = text(&ProjectName::parse("p").expect("a name"), &propose(&[Folder::default()]));
    assert!(text.contains("# [services.web]"), "{text}");
}
