// The live supervision tree as a picture.

import { h, keep, mark, s, say } from "./dom.js";
import { treeLayout } from "./layout.js";
import { known } from "./store.js";
import { flash } from "./services.js";

const HIGH = 26;

/** The words of a strategy, short. */
const STRATEGIES = {
  one_for_one: "one for one: a crash concerns only the crashed",
  rest_for_one: "rest for one: a crash takes those that depend on it along",
  one_for_all: "one for all: a crash of any takes all",
};

/** How wide a text of the pictures is, in the one size that they use. */
export function textWidth(text) {
  return text.length * 7.3;
}

function label(node) {
  return node.name.replace(/^(project|service):/, "");
}

/** `restarts/allowed`, where there is a limit. */
function counter(node) {
  // One that is not restarted by itself, or practically always, has no count worth looking at.
  const counts = node.max_restarts > 0 && (node.max_restarts < 100 || node.restarts > 0);
  return counts ? `${node.restarts}/${node.max_restarts}` : "";
}

function badge(node) {
  return node.strategy ? node.strategy.replaceAll("_", " ") : "";
}

function widthOf(node) {
  const small = (text) => (text ? text.length * 6 + 12 : 0);
  return 26 + textWidth(label(node)) + small(badge(node)) + small(counter(node)) + 8;
}

/** All nodes, with what led to them. */
export function* walk(node, path = node.name) {
  yield [path, node];
  for (const child of node.children) yield* walk(child, `${path}/${child.name}`);
}

function drawn(ui, placed, toggle) {
  const box = s("rect.box", { rx: 7, height: HIGH });
  const dot = s("circle.dot", { cx: 14, cy: HIGH / 2, r: 4.5 });
  const name = s("text.label", { x: 26, y: HIGH / 2, dy: "0.35em" });
  const strategy = s("text.badge", { y: HIGH / 2, dy: "0.35em" });
  const number = s("text.counter", { y: HIGH / 2, dy: "0.35em" });
  const meter = s("rect.meter", { y: HIGH - 3, height: 3, rx: 1.5, x: 7 });
  const title = s("title");
  const group = s("g.node", { tabindex: "0", role: "treeitem", "data-path": placed.path }, title, box, meter, dot, name, strategy, number);
  const open = () => {
    const service = /\/project:([^/]+)\/service:([^/]+)/.exec(placed.path);
    if (service) ui.select({ project: service[1], service: service[2] });
    else toggle(placed.path);
  };
  group.addEventListener("click", open);
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open();
    }
  });
  let before = null;
  group.show = ({ node, x, y, width, leaf }) => {
    group.style.transform = `translate(${x}px, ${y}px)`;
    mark(group, "data-state", node.state);
    mark(group, "data-kind", node.kind);
    mark(group, "data-folded", node.children.length > 0 && leaf);
    mark(box, "width", width);
    say(name, label(node));
    say(strategy, badge(node));
    mark(strategy, "x", 26 + textWidth(label(node)) + 8);
    say(number, counter(node));
    mark(number, "x", width - 8);
    mark(number, "data-some", node.restarts > 0);
    const share = node.max_restarts ? Math.min(1, node.restarts / node.max_restarts) : 0;
    mark(meter, "width", share * (width - 14));
    mark(meter, "data-full", share >= 0.75);
    const words = [node.name, node.state, node.detail, STRATEGIES[node.strategy]];
    if (node.max_restarts !== null) words.push(`${node.restarts} restarts of ${node.max_restarts} allowed within ${node.window_s} s`);
    say(title, words.filter(Boolean).join("\n"));
    if (before && (node.restarts > before.restarts || (before.state !== "restarting" && node.state === "restarting"))) flash(group);
    else if (before && node.state === "failed" && before.state !== "failed") flash(group, "bad");
    before = node;
  };
  return group;
}

function linked() {
  const path = s("path.link");
  path.show = ([from, to]) => {
    const [x, y, right, down] = [from.x + from.width, from.y + HIGH / 2, to.x, to.y + HIGH / 2];
    const middle = Math.max(x, right - 30) + 15;
    mark(path, "d", `M${x} ${y}H${middle - 4}C${middle + 4} ${y} ${middle - 8} ${down} ${right} ${down}`);
    mark(path, "data-state", to.node.state);
  };
  return path;
}

/** The view. */
export function make(ui) {
  const folded = new Set();
  const links = s("g");
  const nodes = s("g", { role: "tree", "aria-label": "Supervision tree" });
  const picture = s("svg.picture.treepicture", {}, links, nodes);
  const legend = h("p.legend", {}, "Each box is an actor; its supervisor stands to the left and restarts it. ",
    h("b", {}, "n/m"), ": restarts within the window, and how many are allowed before it is given up on. Click a service for its reasons, another box to fold it.");
  const scroll = h("div.canvas", {}, picture);
  const toggle = (path) => {
    if (!folded.delete(path)) folded.add(path);
    show();
  };
  const show = () => {
    if (!known.tree) return;
    const scope = ui.scope();
    const root = scope ? only(known.tree, scope) : known.tree;
    const layout = treeLayout(root, { width: widthOf, open: (path) => !folded.has(path) });
    keep(nodes, layout.nodes, (it) => it.path, (it) => drawn(ui, it, toggle));
    keep(links, layout.links, ([, to]) => to.path, linked);
    mark(picture, "width", layout.width + 24);
    mark(picture, "height", layout.height + 24);
    mark(picture, "viewBox", `-12 -10 ${layout.width + 24} ${layout.height + 24}`);
  };
  return { element: h("section.view.tree", {}, legend, scroll), show };
}

/** The tree without other projects. */
function only(root, project) {
  const keepIt = (branch) => branch.children.filter((it) => it.name === `project:${project}`);
  return { ...root, children: root.children.map((branch) => (branch.name === "projects" ? { ...branch, children: keepIt(branch) } : branch)) };
}
