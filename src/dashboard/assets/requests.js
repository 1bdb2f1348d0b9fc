// The last requests through the proxy, and those that come.

import { lines } from "./api.js";
import { h } from "./dom.js";
import { bytes, clock, hue, millis } from "./format.js";
import { matcher } from "./logs.js";
import { project } from "./store.js";

const KEPT = 1000;

/** The view. */
export function make(ui) {
  const body = h("tbody");
  const filter = h("input", { type: "search", placeholder: "Filter: text or /pattern/  ( / )", "aria-label": "Filter", id: "filter" });
  const empty = h("p.empty", {}, "No request has come through the proxy yet.");
  const head = ["time", "service", "method", "path", "status", "size", "took"];
  const table = h("div.scroll", {}, h("table.requests", {}, h("thead", {}, h("tr", {}, ...head.map((it) => h("th", { scope: "col" }, it)))), body));
  const element = h("section.view.requestlog", {}, h("div.bar", {}, filter), empty, table);
  let [asked, close, timer] = [null, null, null];
  let matches = () => true;
  filter.addEventListener("input", () => {
    const test = matcher(filter.value);
    filter.classList.toggle("wrong", !test);
    if (!test) return;
    matches = test;
    for (const row of body.children) row.hidden = !matches(row);
  });
  const put = ({ at, service, method, path, status, bytes: size, ms }) => {
    const whose = h("td.whose", {}, service);
    whose.style.setProperty("--hue", hue(service));
    const row = h("tr", { "data-class": `${Math.floor(status / 100)}` }, h("td.mono", { title: at }, clock(at)), whose,
      h("td.mono", {}, method), h("td.mono.path", { title: path }, path), h("td.mono.status", {}, status || "gone"),
      h("td.mono.right", {}, bytes(size)), h("td.mono.right", {}, millis(ms)));
    row.plain = `${service} ${method} ${path} ${status}`;
    row.hidden = !matches(row);
    body.prepend(row);
    while (body.childElementCount > KEPT) body.lastChild.remove();
    empty.hidden = true;
  };
  const listen = () => {
    close?.();
    clearTimeout(timer);
    if (!asked || document.hidden) return;
    const query = [["dir", asked.dir], ...asked.services.map((it) => ["service", it]), ["follow", "true"], ["lines", 200]];
    close = lines("/v1/requests", query, {
      begin: () => {
        body.replaceChildren();
        empty.hidden = false;
      },
      line: put,
      lost: () => {
        timer = setTimeout(listen, 1000);
      },
    });
  };
  document.addEventListener("visibilitychange", listen);
  return {
    element,
    needsProject: true,
    show() {
      const found = project(ui.scope());
      if (!found) return;
      const next = { dir: found.path, services: ui.selected() ? [ui.selected().service] : [] };
      if (JSON.stringify(next) === JSON.stringify(asked)) return;
      asked = next;
      listen();
    },
    close() {
      document.removeEventListener("visibilitychange", listen);
      clearTimeout(timer);
      close?.();
      asked = null;
    },
  };
}
