// All services, project by project.

import { h, keep, link, mark, say, s } from "./dom.js";
import { bytes, count, duration, percent } from "./format.js";
import { sparkline } from "./layout.js";
import { known, uptime, usage } from "./store.js";

const POINTS = 60;

/** A small line of the last minute. */
export function spark(name, width = 56, height = 22) {
  const line = s("path");
  const area = s("path.area");
  const picture = s("svg.spark", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, area, line);
  const text = h("span.number");
  const element = h(`span.measure.${name}`, {}, picture, text);
  element.show = (values, most, words) => {
    const path = values ? sparkline(values, most, { width, height, points: POINTS }) : "";
    mark(line, "d", path);
    const from = /^M([\d.]+)/.exec(path)?.[1];
    mark(area, "d", path ? `${path}L${width} ${height}L${from} ${height}Z` : "");
    say(text, words);
  };
  return element;
}

/** Shows both measures of a service. */
export function measures(cpu, memory, projectName, it) {
  const used = usage(projectName, it);
  cpu.show(used?.cpu, Math.max(25, ...(used?.cpu ?? [])), percent(used?.cpu.at(-1)));
  memory.show(used?.memory, Math.max(1, ...(used?.memory ?? [])) * 1.25, bytes(used?.memory.at(-1)));
}

const isUp = (it) => !["stopped", "completed", "failed"].includes(it.state);

/** Buttons for a service: what makes sense now. */
export function buttons(ui, projectName, name) {
  const act = (verb) => (event) => {
    event.stopPropagation();
    ui.act(verb, projectName, [name]);
  };
  const button = (verb, icon, key) => {
    const word = `${verb[0].toUpperCase()}${verb.slice(1)}`;
    return h("button.act", { onclick: act(verb), title: `${word} (${key})`, "aria-label": `${word} ${name}`, "data-verb": verb },
      h("span.icon", { "aria-hidden": "true" }, icon), h("span.word", {}, word));
  };
  const [start, stop, restart] = [button("start", "▶", "s"), button("stop", "■", "x"), button("restart", "↻", "r")];
  const element = h("span.acts", {}, start, stop, restart);
  element.show = (it) => {
    start.hidden = isUp(it);
    stop.hidden = !isUp(it);
    stop.disabled = it.state === "stopping";
  };
  return element;
}

/** Lights an element up, for something that has just happened. */
export function flash(element, kind = "restart") {
  element.classList.remove("flash", "restart", "bad");
  // Begins anew, also when it is in the middle of it.
  void element.getBoundingClientRect();
  element.classList.add("flash", kind);
  setTimeout(() => element.classList.remove("flash", kind), 2500);
}

function row(ui, projectName, { name }) {
  const dot = h("span.dot");
  const label = h("a.name", { href: "#", onclick: (event) => { event.preventDefault(); ui.select({ project: projectName, service: name }); } }, name);
  const kind = h("span.tag");
  const state = h("span.state");
  const why = h("span.why");
  const url = h("a", { target: "_blank", rel: "noopener noreferrer", onclick: (event) => event.stopPropagation() });
  const pid = h("td.mono", { "data-label": "pid" });
  const port = h("td.mono", { "data-label": "port" });
  const up = h("td.mono", { "data-label": "uptime" });
  const restarts = h("td.mono.restarts", { "data-label": "restarts" });
  const [cpu, memory] = [spark("cpu"), spark("memory")];
  const acts = buttons(ui, projectName, name);
  const element = h("tr", { id: `s-${projectName}-${name}`, "data-service": name, onclick: () => ui.select({ project: projectName, service: name }) },
    h("td.who", {}, h("span.who", {}, dot, label, kind)), h("td.how", {}, state, why), h("td.where", { "data-label": "url" }, url),
    pid, port, up, restarts, h("td", { "data-label": "cpu" }, cpu), h("td", { "data-label": "memory" }, memory), h("td.do", {}, acts));
  let before = null;
  element.show = (it) => {
    mark(element, "data-state", it.state);
    mark(dot, "data-state", it.state);
    mark(element, "aria-selected", ui.isSelected(projectName, name) ? "true" : null);
    say(kind, it.type === "exec" ? "" : it.type);
    say(state, it.state);
    say(why, it.reason);
    mark(why, "title", it.reason);
    link(url, it.url);
    say(pid, it.pid ?? "–");
    say(port, it.port ?? "–");
    say(up, duration(uptime(it), 1));
    say(restarts, it.restarts);
    mark(restarts, "data-some", it.restarts > 0);
    measures(cpu, memory, projectName, it);
    acts.show(it);
    if (before && it.restarts > before.restarts) flash(element);
    else if (before && before.state !== "failed" && it.state === "failed") flash(element, "bad");
    before = it;
  };
  return element;
}

const COLUMNS = ["service", "state", "url", "pid", "port", "uptime", "restarts", "cpu", "memory", ""];

function card(ui, { name }) {
  const dot = h("span.dot");
  const title = h("a", { href: `#view=services&project=${name}` }, name);
  const state = h("span.state");
  const number = h("span.soft");
  const path = h("span.path");
  const note = h("div.wrongs", { hidden: true });
  const body = h("tbody");
  const act = (verb) => () => ui.act(verb, name, []);
  const start = h("button", { onclick: act("start"), title: "Start all services" }, "Start all");
  const stop = h("button", { onclick: act("stop"), title: "Stop all services" }, "Stop all");
  const restart = h("button", { onclick: act("restart"), title: "Restart all services" }, "Restart all");
  const element = h("article.card", { "data-project": name },
    h("header", {}, h("h2", {}, dot, title), state, number, path, h("span.acts", {}, start, stop, restart)), note,
    h("div.scroll", {}, h("table", {}, h("thead", {}, h("tr", {}, ...COLUMNS.map((it) => h("th", { scope: "col" }, it)))), body)));
  element.show = (project) => {
    mark(dot, "data-state", project.state);
    say(state, project.state);
    mark(state, "data-state", project.state);
    say(number, count(project.services.length, "service"));
    say(path, project.path);
    mark(path, "title", project.path);
    ui.showWrongs(note, project);
    start.hidden = project.services.every((it) => isUp(it) || it.state === "completed");
    stop.hidden = !project.services.some(isUp);
    keep(body, project.services, (it) => it.name, (it) => row(ui, name, it));
  };
  return element;
}

/** All services that are looked at, in order: what keys go through. */
export function order(ui) {
  const shown = (known.status?.projects ?? []).filter((it) => !ui.scope() || it.name === ui.scope());
  return shown.flatMap((it) => it.services.map((service) => ({ project: it.name, service: service.name })));
}

/** The view. */
export function make(ui) {
  const empty = h("p.empty", { hidden: true }, "Nothing runs yet. ", h("code", {}, "locald up"), " in a project's folder starts it.");
  const list = h("div.cards");
  return {
    element: h("section.view.services", {}, empty, list),
    show() {
      const all = known.status?.projects ?? [];
      const shown = all.filter((it) => !ui.scope() || it.name === ui.scope());
      empty.hidden = !known.status || all.length > 0;
      keep(list, shown, (it) => it.name, (it) => card(ui, it));
    },
  };
}
