// What is wrong with a project's files, where it is.

import { read } from "./api.js";
import { h } from "./dom.js";

const LEAD = "The configuration has errors. What runs is the one before them.";

/** Shows it in `element`, looked up whenever it is another one. */
export function show(element, { path, config_error: error, watch_error: unwatched }) {
  const key = JSON.stringify([error, unwatched]);
  if (element.wrong === key) return;
  element.wrong = key;
  element.hidden = !error && !unwatched;
  const other = unwatched ? [h("p", {}, unwatched)] : [];
  const plain = error ? [h("p", {}, h("b", {}, LEAD)), h("pre", {}, error)] : [];
  element.replaceChildren(...plain, ...other);
  if (!error) return;
  read("/v1/check", { dir: path }).then(({ errors }) => {
    // It may have been mended meanwhile, or the error is not one of the file alone.
    if (element.wrong !== key || !errors.length) return;
    element.replaceChildren(h("p", {}, h("b", {}, LEAD)), ...errors.slice(0, 20).map(drawn), ...other);
  }, () => {});
}

function drawn({ message, help, file, places }) {
  const name = file?.split("/").at(-1) ?? "";
  const lines = places.map(({ line, before, marked, after, text }, nth) =>
    h(nth ? "div.place.other" : "div.place", {}, h("span.gutter", {}, String(line)),
      h("span", {}, before, h("mark", {}, marked || " "), after, text ? h("em", {}, ` ${text}`) : null)));
  const where = places.length ? h("span.soft", {}, ` ${name}:${places[0].line}:${places[0].column}`) : null;
  return h("div.wrong", {}, h("p", {}, h("b.error", {}, "error: "), message, where), h("pre", {}, ...lines), help ? h("p.soft", {}, `help: ${help}`) : null);
}
