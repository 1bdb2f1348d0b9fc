// Who needs whom, as a picture with states.

import { h, keep, mark, s, say } from "./dom.js";
import { graphLayout } from "./layout.js";
import { known, project } from "./store.js";
import { flash } from "./services.js";
import { textWidth } from "./tree.js";

const HIGH = 46;

const BONDS = {
  loose: "loose: losing it does not matter",
  crash: "crash: a crash or a stop of it takes this one down",
  always: "always: also when it is restarted on purpose",
};

function drawn(ui, projectName, { name }) {
  const box = s("rect.box", { rx: 10, height: HIGH });
  const dot = s("circle.dot", { cx: 18, cy: 17, r: 5 });
  const label = s("text.label", { x: 32, y: 17, dy: "0.35em" });
  const state = s("text.badge", { x: 32, y: 34, dy: "0.3em" });
  const title = s("title");
  const group = s("g.node.service", { tabindex: "0", role: "button", "data-service": name }, title, box, dot, label, state);
  const open = () => ui.select({ project: projectName, service: name });
  group.addEventListener("click", open);
  group.addEventListener("keydown", (event) => event.key === "Enter" && open());
  let before = null;
  group.show = ({ x, y, width, it }) => {
    group.style.transform = `translate(${x}px, ${y}px)`;
    mark(box, "width", width);
    mark(group, "data-state", it?.state ?? "stopped");
    mark(group, "aria-selected", ui.isSelected(projectName, name) ? "true" : null);
    say(label, name);
    say(state, it ? `${it.state}${it.restarts ? ` · ↻ ${it.restarts}` : ""}` : "");
    say(title, [name, it?.state, it?.reason].filter(Boolean).join("\n"));
    if (before && it && it.restarts > before.restarts) flash(group);
    before = it;
  };
  return group;
}

function linked() {
  const title = s("title");
  const path = s("path.link", { "marker-end": "url(#arrow)" });
  const group = s("g.edge", {}, title, path);
  group.show = ({ edge, stops, met }) => {
    mark(path, "d", way(stops));
    mark(group, "data-bond", edge.bond);
    mark(group, "data-met", met);
    say(title, `${edge.from} needs ${edge.to} ${edge.condition}\n${BONDS[edge.bond] ?? edge.bond}`);
  };
  return group;
}

/** From the top of the first to the bottom of the last, upright through those between. */
function way(stops) {
  const middle = ({ x, width }) => x + width / 2;
  let [x, y] = [middle(stops[0]), stops[0].y - 2];
  let path = `M${x} ${y}`;
  stops.slice(1).forEach((stop, nth) => {
    const last = nth === stops.length - 2;
    const [there, below] = [middle(stop), stop.y + HIGH + (last ? 3 : 0)];
    const half = (y - below) / 2;
    path += `C${x} ${y - half} ${there} ${below + half} ${there} ${below}`;
    [x, y] = [there, last ? below : stop.y];
    if (!last) path += `V${y}`;
  });
  return path;
}

/** The view. */
export function make(ui) {
  const arrow = s("defs", {}, s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, s("path", { d: "M0 0L8 4L0 8Z" })));
  const links = s("g");
  const nodes = s("g");
  const picture = s("svg.picture.graphpicture", {}, arrow, links, nodes);
  const legend = h("p.legend", {}, "An arrow leads to what a service needs, which starts first. Lines: ",
    h("span.key.crash", {}, "crash"), h("span.key.always", {}, "always"), h("span.key.loose", {}, "loose"),
    " say when losing it matters; dimmed ones are met.");
  const show = () => {
    const name = ui.scope();
    const graph = known.graphs.get(name);
    const found = project(name);
    if (!graph || !found) return;
    const services = new Map(found.services.map((it) => [it.name, it]));
    const width = (node) => Math.max(150, 48 + textWidth(node));
    const layout = graphLayout(graph.nodes, graph.edges, { width });
    const placed = [...layout.nodes.values()].map((node) => ({ ...node, it: services.get(node.name) }));
    keep(nodes, placed, (it) => `${name}/${it.name}`, (it) => drawn(ui, name, it));
    const ways = layout.ways.map((it) => ({ ...it, met: !services.get(it.edge.from)?.waiting_for.includes(it.edge.to) }));
    keep(links, ways, ({ edge }) => `${name}/${edge.from}>${edge.to}`, linked);
    mark(picture, "width", layout.width + 40);
    mark(picture, "height", layout.height + 10);
    mark(picture, "viewBox", `-20 -16 ${layout.width + 40} ${layout.height + 10}`);
  };
  return { element: h("section.view.graph", {}, legend, h("div.canvas", {}, picture)), show, needsProject: true };
}
