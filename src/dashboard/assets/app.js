// The page: views, what is selected, and what is drawn when.

import { command, connection, start } from "./api.js";
import { h, keep, mark, say } from "./dom.js";
import * as events from "./events.js";
import * as graph from "./graph.js";
import * as keys from "./keys.js";
import * as logs from "./logs.js";
import * as requests from "./requests.js";
import * as panel from "./service.js";
import * as services from "./services.js";
import { changed, known, listen, project, service } from "./store.js";
import * as tree from "./tree.js";
import * as wrongs from "./wrongs.js";

const VIEWS = { services, tree, graph, logs, requests, events };
const WORDS = { opening: "connecting", live: "live", lost: "no connection", out: "logged out" };

const by = (id) => document.getElementById(id);
let now = { name: null };

/** Where we are: `view`, `project` (none: all) and `at`, the selected service as `project/service`. */
function place() {
  const query = new URLSearchParams(location.hash.slice(1));
  const view = query.get("view");
  return { view: view in VIEWS ? view : "services", project: query.get("project"), at: query.get("at") };
}

function go(change) {
  const query = Object.entries({ ...place(), ...change }).filter(([, value]) => value);
  location.hash = new URLSearchParams(query).toString().replaceAll("%2F", "/");
}

const ui = {
  view: () => now,
  /** The project that is looked at; none: all. */
  scope() {
    const { project: name } = place();
    if (project(name)) return name;
    return now.needsProject ? (ui.selected()?.project ?? known.status?.projects[0]?.name ?? null) : null;
  },
  selected() {
    const [projectName, name] = (place().at ?? "").split("/");
    return service(projectName, name) ? { project: projectName, service: name } : null;
  },
  isSelected: (projectName, name) => place().at === `${projectName}/${name}`,
  select(whom) {
    const { project: scope } = place();
    const away = whom && scope && scope !== whom.project;
    go({ at: whom && `${whom.project}/${whom.service}`, project: away ? whom.project : scope });
  },
  async act(verb, projectName, names) {
    try {
      await command(verb, projectName, names);
      tell(null);
    } catch (error) {
      tell(`Cannot ${verb} ${names[0] ?? projectName}: ${error.message}`);
    }
  },
  showWrongs: wrongs.show,
};

/** Something that must be said once. */
let said = null;
function tell(text) {
  said = text;
  changed();
}

const showPanel = panel.make(ui);

function showNotice() {
  const out = "This page is not logged in any more, as after a restart of locald. Run `locald dashboard` again; this page goes on by itself then.";
  const lost = known.status ? "locald does not answer. What is shown is how it was; this page goes on when it is back." : "locald does not answer.";
  const text = { out, lost }[connection.state] ?? said;
  by("notice").hidden = !text;
  mark(by("notice"), "data-state", connection.state);
  say(by("notice"), text);
  mark(by("link"), "data-state", connection.state);
  say(by("link"), WORDS[connection.state]);
}

function showScope() {
  const { view } = place();
  const all = known.status?.projects ?? [];
  const chips = [...(now.needsProject ? [] : [null]), ...all];
  by("scope").hidden = all.length < 2;
  keep(by("scope"), chips, (it) => it?.name ?? "", (it) =>
    h("button.chip", { onclick: () => go({ project: it?.name ?? null, at: null }) }, it?.name ?? "all projects"));
  for (const [name, chip] of by("scope").kept) {
    mark(chip, "data-state", project(name)?.state);
    mark(chip, "aria-pressed", String((ui.scope() ?? "") === name));
  }
  const query = (name) => new URLSearchParams(Object.entries({ ...place(), view: name }).filter(([, value]) => value));
  for (const link of by("views").children) {
    mark(link, "href", `#${query(link.dataset.view).toString().replaceAll("%2F", "/")}`);
    mark(link, "aria-current", link.dataset.view === view ? "page" : null);
  }
}

function show() {
  const { view } = place();
  if (now.name !== view) {
    now.close?.();
    now = { name: view, ...VIEWS[view].make(ui) };
    by("main").replaceChildren(now.element);
  }
  const wrong = known.status?.projects.some((it) => ["failed", "degraded"].includes(it.state) || it.config_error);
  document.title = `${wrong ? "● " : ""}${ui.scope() ?? "locald"} · ${view}`;
  showNotice();
  showScope();
  now.show();
  showPanel(by("panel"));
}

/** Light or dark, against what the system says; kept in this browser. */
function theme(next) {
  if (next) localStorage.setItem("theme", next);
  const chosen = localStorage.getItem("theme");
  mark(document.documentElement, "data-theme", chosen);
}

function toggleTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const current = localStorage.getItem("theme") ?? (dark ? "dark" : "light");
  theme(current === "dark" ? "light" : "dark");
}

function visit(url) {
  if (/^https?:/.test(url ?? "")) open(url, "_blank", "noopener");
}

/** What a key does where we are. */
function doing(key) {
  const views = Object.keys(VIEWS);
  const whom = ui.selected();
  const step = (by) => () => {
    const all = services.order(ui);
    const at = all.findIndex((it) => ui.isSelected(it.project, it.service));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    if (next) ui.select(next);
  };
  const turn = (by) => () => {
    const names = (known.status?.projects ?? []).map((it) => it.name);
    const all = now.needsProject ? names : [null, ...names];
    const next = all[(all.indexOf(ui.scope()) + by + all.length) % all.length];
    go({ project: next ?? null, at: null });
  };
  const act = (verb) => whom && (() => ui.act(verb, whom.project, [whom.service]));
  const doings = {
    j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1), "]": turn(1), "[": turn(-1), t: toggleTheme,
    s: act("start"), x: act("stop"), r: act("restart"),
    l: whom && (() => go({ view: "logs", project: whom.project })),
    o: whom && (() => visit(service(whom.project, whom.service)?.url)),
    "/": () => (by("filter") ? by("filter").focus() : go({ view: "logs" })),
    Escape: () => (said ? tell(null) : ui.select(null)),
    Enter: () => by("panel").querySelector("button")?.focus(),
    ...now.keys,
  };
  if (key === "Enter" && document.activeElement !== document.body) return null;
  if (key.startsWith("Arrow") && document.activeElement?.closest(".logbox, .canvas")) return null;
  return /^[1-6]$/.test(key) ? () => go({ view: views[Number(key) - 1] }) : doings[key];
}

by("views").append(...Object.keys(VIEWS).map((name, nth) => h("a", { "data-view": name, title: `${nth + 1}` }, name)));
by("theme").addEventListener("click", toggleTheme);
addEventListener("hashchange", show);
theme();
keys.listen(doing);
listen(show);
// Uptimes go on while nothing else happens, as long as somebody looks.
setInterval(() => !document.hidden && known.status && changed(), 1000);
show();
start();
