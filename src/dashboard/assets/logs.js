// Live logs: of one service, or of several merged by time.

import { spans, plain } from "./ansi.js";
import { connection, lines } from "./api.js";
import { h, keep, mark, say } from "./dom.js";
import { clock, hue } from "./format.js";
import { known, project } from "./store.js";

/** So many lines are kept; older ones go. */
const KEPT = 4000;
/** So many of each service are shown at first. */
const FIRST = 500;

/** A box of lines. `names`: whether each line says whose it is. */
export function logBox({ names = true } = {}) {
  const list = h("div.lines", { role: "log", "aria-live": "off", tabindex: "0" });
  const latest = h("button.latest", { hidden: true, onclick: () => stick(true) }, "↓ latest");
  const element = h("div.logbox", {}, list, latest);
  let matches = () => true;
  let waiting = [];
  let held = null;
  let stuck = true;
  let asked = null;
  let close = null;
  let timer = null;

  const stick = (now) => {
    stuck = now;
    latest.hidden = now;
    if (now) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("scroll", () => {
    const end = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    if (end !== stuck) stick(end);
  });

  const lineOf = ({ at, service, stream, line }) => {
    const text = h("span.text", {}, ...spans(line));
    const time = h("time", { datetime: at, title: at }, clock(at));
    const whose = names ? h("span.whose", {}, service) : null;
    if (whose) whose.style.setProperty("--hue", hue(service));
    const element = h(stream === "err" ? "div.line.err" : "div.line", {}, time, whose, text);
    element.plain = plain(line);
    element.whose = service;
    element.hidden = !matches(element);
    return element;
  };
  const put = (fresh) => {
    list.append(...fresh.slice(-KEPT).map(lineOf));
    while (list.childElementCount > KEPT) list.firstChild.remove();
    if (stuck) list.scrollTop = list.scrollHeight;
  };
  const flush = () => {
    const fresh = waiting;
    waiting = [];
    if (held) held = [...held, ...fresh].slice(-KEPT);
    else if (fresh.length) put(fresh);
    box.heard?.();
  };
  const listen = () => {
    close?.();
    clearTimeout(timer);
    close = null;
    if (!asked || document.hidden) return;
    close = lines("/v1/logs", asked, {
      begin: () => {
        waiting = [];
        if (held) held = [];
        list.replaceChildren();
      },
      line: (line) => {
        if (waiting.push(line) === 1) requestAnimationFrame(flush);
        if (waiting.length > KEPT) waiting.splice(0, waiting.length - KEPT);
      },
      lost: () => {
        clearTimeout(timer);
        timer = setTimeout(listen, 1000);
      },
    });
  };
  const seen = () => {
    if (!document.hidden && held === null) listen();
    else if (document.hidden) close?.();
  };
  document.addEventListener("visibilitychange", seen);

  const box = {
    element,
    /** Shows other logs: those of these services of the project in `dir`; none: all. */
    show(dir, services = []) {
      const next = [["dir", dir], ...services.map((name) => ["service", name]), ["follow", "true"], ["lines", FIRST]];
      if (asked && JSON.stringify(asked) === JSON.stringify(next)) return;
      asked = next;
      list.replaceChildren();
      stick(true);
      listen();
    },
    /** Shows only lines for which this holds. */
    filter(test) {
      matches = test;
      for (const line of list.children) line.hidden = !matches(line);
      if (stuck) list.scrollTop = list.scrollHeight;
    },
    pause(now) {
      if (now === (held !== null)) return;
      const missed = held;
      held = now ? [] : null;
      if (missed?.length) put(missed);
      box.heard?.();
    },
    /** How many lines have come since it was paused; none: it is not. */
    missed: () => (held ? held.length : null),
    clear: () => list.replaceChildren(),
    close() {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(timer);
      close?.();
      asked = null;
    },
  };
  return box;
}

/** `word` or `/pattern/` as a test; none: it is no pattern. */
export function matcher(text) {
  const pattern = /^\/(.*)\/?$/.exec(text);
  if (!text) return () => true;
  if (pattern) {
    try {
      const expression = new RegExp(pattern[1].replace(/\/$/, ""), "i");
      return (line) => expression.test(line.plain);
    } catch {
      return null;
    }
  }
  const small = text.toLowerCase();
  return (line) => line.plain.toLowerCase().includes(small);
}

/** The view. */
export function make(ui) {
  const box = logBox();
  const filter = h("input", { type: "search", placeholder: "Filter: text or /pattern/  ( / )", "aria-label": "Filter", id: "filter" });
  const pause = h("button", { id: "pause", title: "Pause (p)", onclick: () => toggle() }, "❚❚ Pause");
  const services = h("div.chips", { role: "group", "aria-label": "Services" });
  const wrap = h("button", { "aria-pressed": "true", onclick: () => press(wrap, box.element, "nowrap") }, "Wrap");
  const times = h("button", { "aria-pressed": "true", onclick: () => press(times, box.element, "notime") }, "Times");
  const bar = h("div.bar", {}, services, filter, pause, wrap, times, h("button", { onclick: box.clear }, "Clear"));
  const element = h("section.view.logs", {}, bar, box.element);

  const press = (button, target, without) => {
    const off = target.classList.toggle(without);
    mark(button, "aria-pressed", String(!off));
  };
  const apply = () => {
    const test = matcher(filter.value);
    filter.classList.toggle("wrong", !test);
    if (test) box.filter(test);
  };
  filter.addEventListener("input", apply);
  const toggle = () => box.pause(box.missed() === null);
  box.heard = () => {
    const missed = box.missed();
    mark(pause, "aria-pressed", String(missed !== null));
    say(pause, missed === null ? "❚❚ Pause" : `▶ Resume${missed ? ` (${missed} new)` : ""}`);
  };

  return {
    element,
    keys: { p: toggle },
    needsProject: true,
    show() {
      const found = project(ui.scope());
      if (!found) return;
      const only = ui.selected();
      const all = { name: "", all: true };
      keep(services, [all, ...found.services], (it) => it.name, (it) =>
        h("button.chip", { onclick: () => ui.select(it.all ? null : { project: ui.scope(), service: it.name }) }));
      for (const [name, chip] of services.kept) {
        const it = found.services.find((service) => service.name === name);
        say(chip, name || "all");
        mark(chip, "data-state", it?.state);
        mark(chip, "aria-pressed", String((only?.service ?? "") === name));
      }
      if (connection.state === "live" || known.status) box.show(found.path, only ? [only.service] : []);
    },
    close: () => box.close(),
  };
}
