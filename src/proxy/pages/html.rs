//! A page in HTML: self-contained, everything in it escaped.

use std::fmt::Write as _;

use crate::proxy::settings::Story;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:8vh auto;padding:0 1rem;\
color:#222;background:#fff}h1{font-size:1.5rem}pre,code{font-family:ui-monospace,monospace;font-size:.875rem;\
background:#f3f3f3}pre{padding:1rem;overflow:auto;white-space:pre-wrap}code{padding:.1rem .3rem}\
small{color:#777}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre,code{background:#2a2a2a}\
a{color:#8bf}}";

/// Asks how it stands, and loads the page again once the service is there, and only then.
const SCRIPT: &str = "(function(){var s=document.getElementById('state'),l=document.getElementById('log');\
function ask(){fetch(location.href,{headers:{'X-Locald-Watch':'1'},cache:'no-store'})\
.then(function(r){return r.json()}).then(function(f){if(f.phase==='up'){location.reload();return}\
s.textContent=f.state+(f.why?': '+f.why:'');l.textContent=(f.log||[]).join('\\n');\
setTimeout(ask,f.phase==='coming'?500:3000)}).catch(function(){setTimeout(ask,3000)})}setTimeout(ask,500)})()";

/// What there is to say.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) title: String,
    pub(super) paragraphs: Vec<String>,
    pub(super) commands: Vec<String>,
    pub(super) links: Vec<(String, String)>,
    pub(super) story: Option<Story>,
    /// Whether it looks for the service to come.
    pub(super) watch: bool,
    /// Whether the service is on its way: then also a browser without scripts looks again.
    pub(super) coming: bool,
}

impl Page {
    pub(super) fn new(status: u16, title: String) -> Self {
        Self { status, title, ..Self::default() }
    }

    pub(super) fn say(mut self, text: impl Into<String>) -> Self {
        self.paragraphs.push(text.into());
        self
    }

    pub(super) fn command(mut self, command: String) -> Self {
        self.commands.push(command);
        self
    }

    /// All of it in one line, for those who do not read pages.
    pub(super) fn detail(&self) -> String {
        let mut text = self.title.clone();
        for paragraph in &self.paragraphs {
            write!(text, ": {}", paragraph.trim_end_matches([':', '.'])).ok();
        }
        for (nth, (_, url)) in self.links.iter().enumerate() {
            write!(text, "{}{url}", if nth == 0 { ": " } else { ", " }).ok();
        }
        text
    }

    pub(super) fn html(&self) -> String {
        let mut page = String::with_capacity(4096);
        let title = escaped(&self.title);
        page.push_str("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
        page.push_str("<meta name=\"viewport\" content=\"width=device-width\">");
        if self.coming {
            page.push_str("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>");
        }
        write!(page, "<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>").ok();
        for paragraph in &self.paragraphs {
            write!(page, "<p>{}</p>", escaped(paragraph)).ok();
        }
        if !self.links.is_empty() {
            page.push_str("<ul>");
            for (text, url) in &self.links {
                let (text, url) = (escaped(text), escaped(url));
                write!(page, "<li><a href=\"{url}\">{text}</a> <small>{url}</small></li>").ok();
            }
            page.push_str("</ul>");
        }
        if let Some(story) = &self.story {
            told(&mut page, story);
        }
        if !self.commands.is_empty() {
            page.push_str("<p>To look further:</p><pre>");
            page.push_str(&escaped(&self.commands.join("\n")));
            page.push_str("</pre>");
        }
        write!(page, "<p><small>{} from locald</small></p>", self.status).ok();
        if self.watch {
            write!(page, "<script>{SCRIPT}</script>").ok();
        }
        page
    }
}

fn told(page: &mut String, story: &Story) {
    let why = story.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    write!(page, "<p id=\"state\">{}{}</p>", escaped(&story.state), escaped(&why)).ok();
    if let Some(exit) = &story.last_exit {
        write!(page, "<p>Last exit: {}</p>", escaped(exit)).ok();
    }
    write!(page, "<pre id=\"log\">{}</pre>", escaped(&story.log.join("\n"))).ok();
}

/// A text that means nothing in HTML, between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
