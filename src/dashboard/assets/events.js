// What has happened, the newest first.

import { h, keep, mark } from "./dom.js";
import { clock } from "./format.js";
import { matcher } from "./logs.js";
import { known } from "./store.js";

const SHOWN = 500;

/** How an event is coloured. */
function kind(word) {
  if (/gave-up|failed|error|killed|unhealthy|cannot/.test(word)) return "bad";
  if (/^(healthy|ready|completed)|fixed|started|again/.test(word)) return "good";
  if (/exited|backoff|restart|crash|panic/.test(word)) return "warn";
  return "calm";
}

function row(ui, { at, project, service, event, detail }) {
  const select = () => project && service && ui.select({ project, service });
  const whose = [project, service].filter(Boolean).join("/") || "locald";
  const element = h("tr", { "data-kind": kind(event), onclick: select }, h("td.mono", { title: at }, clock(at)),
    h("td", {}, whose), h("td.event", {}, event), h("td.detail", {}, detail ?? ""));
  element.plain = `${whose} ${event} ${detail ?? ""}`;
  return element;
}

/** The view. */
export function make(ui) {
  const body = h("tbody");
  const filter = h("input", { type: "search", placeholder: "Filter: text or /pattern/  ( / )", "aria-label": "Filter", id: "filter" });
  const head = ["time", "who", "event", "detail"];
  const table = h("table.eventlog", {}, h("thead", {}, h("tr", {}, ...head.map((it) => h("th", { scope: "col" }, it)))), body);
  const show = () => {
    const test = matcher(filter.value);
    filter.classList.toggle("wrong", !test);
    const [scope, only] = [ui.scope(), ui.selected()];
    const mine = known.events.filter((it) => (!scope || it.project === scope) && (!only || it.service === only.service));
    keep(body, mine.slice(-SHOWN).reverse(), (it) => it.seq, (it) => row(ui, it));
    for (const element of body.children) mark(element, "hidden", test ? !test(element) : false);
  };
  filter.addEventListener("input", show);
  return { element: h("section.view.eventview", {}, h("div.bar", {}, filter), h("div.scroll", {}, table)), show };
}
