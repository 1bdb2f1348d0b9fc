//! Chromium, driven by what drives it in every such test: a program that is asked over HTTP.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::{Home, http, skip, stream::Stream};

/// How a found element is called.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window; gone when dropped.
pub(super) struct Browser {
    port: u16,
    session: String,
    _driver: Stream,
}

impl Browser {
    /// None where there is no browser.
    pub(super) fn open(home: &Home) -> Option<Self> {
        let find = "command -v chromium && command -v chromedriver";
        if home.program("sh").args(["-c", find]).run().code() != 0 {
            skip("there is no chromium, or no chromedriver");
            return None;
        }
        // Neither is part of what runs in that home.
        let driver = home.program("chromedriver").arg("--port=0").without_env("LOCALD_HOME");
        let mut driver = driver.stream();
        let said = driver.find_text("started successfully on port ");
        let port = said.rsplit(' ').next().unwrap_or_default().trim_end_matches('.');
        let port = port.parse().expect("it says its port");
        let data = format!("--user-data-dir={}", home.path().join("chromium").display());
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1300,900",
            &data,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": true,
            "timeouts": {"script": 60_000, "pageLoad": 60_000},
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": args},
        }}});
        let answer = http::call(port, "POST", "/session", &wanted.to_string());
        let session = answer["value"]["sessionId"].as_str().expect("a session").to_owned();
        Some(Self { port, session, _driver: driver })
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        http::call(self.port, "POST", &path, &body.to_string())["value"].take()
    }

    pub(super) fn go(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// What this expression comes to in the page.
    #[track_caller]
    pub(super) fn look(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits, picture by picture, until this expression is true in the page; what it comes to then.
    #[track_caller]
    pub(super) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; const from = performance.now();
             const look = () => {{
               const found = {expression};
               if (found) done({{found}});
               else if (performance.now() - from > 50000) done({{page: document.body.innerText}});
               else requestAnimationFrame(look);
             }};
             look();"
        );
        let mut seen = self.post("execute/async", &json!({"script": script, "args": []}));
        assert!(seen["page"].is_null(), "this never came true: {expression}: {}", seen["page"]);
        seen["found"].take()
    }

    #[track_caller]
    fn element(&self, css: &str) -> String {
        self.until(&format!("document.querySelector({})", json!(css)));
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {css}")).to_owned()
    }

    /// As a person with a mouse: what is hidden or covered cannot be clicked.
    #[track_caller]
    pub(super) fn click(&self, css: &str) {
        let element = self.element(css);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    #[track_caller]
    pub(super) fn write(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// A key, wherever the focus is.
    pub(super) fn press(&self, key: &str) {
        let step = |what: &str| json!({"type": what, "value": key});
        let keys =
            json!({"type": "key", "id": "keys", "actions": [step("keyDown"), step("keyUp")]});
        self.post("actions", &json!({"actions": [keys]}));
    }

    /// Another window, in which everything happens from now on until [`Self::back`]; returns the old one.
    pub(super) fn another_window(&self) -> Value {
        let path = format!("/session/{}/window", self.session);
        let old = http::call(self.port, "GET", &path, "")["value"].take();
        let new = self.post("window/new", &json!({"type": "window"}));
        self.back(&new["handle"]);
        old
    }

    pub(super) fn back(&self, window: &Value) {
        self.post("window", &json!({ "handle": window }));
    }

    /// What is to be seen, as a PNG.
    #[track_caller]
    pub(super) fn picture(&self) -> Vec<u8> {
        let path = format!("/session/{}/screenshot", self.session);
        let answer = http::call(self.port, "GET", &path, "");
        let picture = answer["value"].as_str().expect("base64");
        base64::prelude::BASE64_STANDARD.decode(picture).expect("base64")
    }

    /// What the page, or the browser on its behalf, has complained about.
    pub(super) fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let lines = log.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Browser {
    /// Also where a test has failed: the browser would outlive its driver.
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let gone = http::try_call(self.port, "DELETE", &path, "").is_some();
        assert!(gone || std::thread::panicking(), "the browser does not end");
    }
}
