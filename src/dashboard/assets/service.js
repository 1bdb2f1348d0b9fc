// One service: state, reasons, what it uses, its last lines.

import { read } from "./api.js";
import { h, keep, link, mark, say } from "./dom.js";
import { clock, count, duration } from "./format.js";
import { logBox } from "./logs.js";
import { buttons, flash, measures, spark } from "./services.js";
import { project, service, uptime } from "./store.js";

const fact = (name, value) => h("div.fact", {}, h("dt", {}, name), h("dd", {}, value));

/** The panel. */
export function make(ui) {
  let shown = null;
  let panel = null;
  return (element) => {
    const now = ui.selected();
    const it = now && service(now.project, now.service);
    const hide = !it || ui.view().name === "logs";
    element.hidden = hide;
    if (hide) {
      panel?.close();
      [shown, panel] = [null, null];
      element.replaceChildren();
      return;
    }
    const key = `${now.project}/${now.service}`;
    if (shown !== key) {
      panel?.close();
      panel = details(ui, now);
      shown = key;
      element.replaceChildren(panel.element);
    }
    panel.show(it);
  };
}

function details(ui, { project: projectName, service: name }) {
  const dot = h("span.dot");
  const state = h("strong.state");
  const reason = h("p.reason");
  const acts = buttons(ui, projectName, name);
  const url = h("a", { target: "_blank", rel: "noopener noreferrer" });
  const [pid, port, up] = [h("span.mono"), h("span.mono"), h("span.mono")];
  const [cpu, memory] = [spark("cpu", 150, 40), spark("memory", 150, 40)];
  const needs = h("span.chips.needs");
  const why = h("div.reasons");
  const box = logBox({ names: false });
  const close = h("button.plain", { title: "Close (Esc)", "aria-label": "Close", onclick: () => ui.select(null) }, "✕");
  const more = h("a", { href: `#view=logs&project=${projectName}&at=${projectName}/${name}` }, "all of it →");
  const element = h("div.details", {},
    h("header", {}, dot, h("h2", {}, name), h("span.tag", {}, projectName), close),
    h("div.now", {}, state, acts), reason,
    h("dl", {}, fact("URL", url), fact("pid", pid), fact("port", port), fact("uptime", up), fact("needs", needs)),
    h("div.uses", {}, h("div", {}, h("h3", {}, "CPU"), cpu), h("div", {}, h("h3", {}, "Memory"), memory)),
    h("h3", {}, "Why"), why, h("h3", {}, "Logs ", more), box.element);
  let before = null;
  return {
    element,
    show(it) {
      mark(element, "data-state", it.state);
      mark(dot, "data-state", it.state);
      say(state, it.state);
      say(reason, it.reason);
      reason.hidden = !it.reason;
      link(url, it.url);
      say(pid, it.pid ?? "–");
      say(port, it.port ?? "–");
      say(up, duration(uptime(it)));
      measures(cpu, memory, projectName, it);
      acts.show(it);
      showNeeds(ui, needs, projectName, it);
      const found = project(projectName);
      if (found) box.show(found.path, [name]);
      const { uptime_s, ...rest } = it;
      const same = JSON.stringify(rest);
      if (same !== before) {
        if (before) flash(state);
        before = same;
        read("/v1/why", { dir: found.path, service: name }).then((answer) => showWhy(why, answer), (error) => say(why, error.message));
      }
    },
    close: () => box.close(),
  };
}

function showNeeds(ui, element, projectName, it) {
  keep(element, it.depends_on, (name) => name, (name) =>
    h("button.chip", { onclick: () => ui.select({ project: projectName, service: name }) }, name));
  for (const [name, chip] of element.kept) {
    mark(chip, "data-state", service(projectName, name)?.state);
    mark(chip, "data-missing", it.waiting_for.includes(name));
  }
}

function showWhy(element, why) {
  const { used, max_restarts: most, window_s: window } = why.intensity;
  const dots = most <= 24
    ? h("span.dots", { "aria-hidden": "true" }, ...Array.from({ length: most }, (_, nth) => h(nth < used ? "i.used" : "i")))
    : null;
  const lines = [];
  if (why.last_cause) lines.push(h("p", {}, `${why.last_cause[0].toUpperCase()}${why.last_cause.slice(1)}.`));
  for (const it of why.waiting_for) lines.push(h("p", {}, `Waits for ${it.service} to be ${it.condition}; that is ${it.state}.`));
  if (why.next_start_s !== null) lines.push(h("p", {}, `Tried again in ${duration(why.next_start_s)}.`));
  lines.push(h("p.intensity", {}, dots, `${count(used, "failure")} within ${duration(window)}, of which ${most} are allowed. ${count(why.restarts, "restart")} since somebody started it.`));
  if (why.exits.length) {
    const exits = [...why.exits].reverse().slice(0, 5);
    lines.push(h("ol.exits", {}, ...exits.map(({ exit, cause }) => h("li", { "data-asked": exit.asked }, h("time", { title: exit.at }, clock(exit.at)), cause))));
  }
  element.replaceChildren(...lines);
}
