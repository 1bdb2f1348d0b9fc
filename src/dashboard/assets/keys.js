// What keys do.

import { h } from "./dom.js";

const HELP = [
  ["1 … 6", "services, tree, graph, logs, requests, events"],
  ["j k", "the next, the previous service"],
  ["Enter", "what there is to know about it"],
  ["s x r", "start, stop, restart it"],
  ["l", "its logs"],
  ["o", "opens it in another tab"],
  ["/", "filter"],
  ["p", "pause the logs"],
  ["[ ]", "the previous, the next project"],
  ["t", "light or dark"],
  ["Esc", "closes, leaves"],
];

/** Has keys do what `doings` says: a function for each. Keys that somebody writes with are left alone. */
export function listen(doings) {
  const dialog = document.getElementById("keys");
  const rows = HELP.map(([keys, words]) => h("tr", {}, h("th", {}, ...keys.split(" ").map((it) => (it === "…" ? "…" : h("kbd", {}, it)))), h("td", {}, words)));
  dialog.append(h("h2", {}, "Keys"), h("table", {}, ...rows), h("form", { method: "dialog" }, h("button", {}, "Close")));
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  document.getElementById("help").addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (writing) {
      // A browser would also empty the field.
      if (event.key === "Escape") {
        event.preventDefault();
        event.target.blur();
      }
      return;
    }
    if (dialog.open && event.key !== "?") return;
    const doing = event.key === "?" ? help : doings(event.key);
    if (!doing) return;
    event.preventDefault();
    doing();
  });
}
