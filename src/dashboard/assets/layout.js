// Where the nodes of the pictures go. Pure; see tests/dashboard.

/**
 * A tree from left to right: leaves one below the other, each parent in the middle of its children, each depth one
 * column as wide as its widest node. `width(node)` is asked for each; `open(path)` says whether children are shown.
 * Returns `{ nodes: [{ path, node, depth, x, y, width, leaf }], links: [[from, to]], width, height }`.
 */
export function treeLayout(root, { width, open = () => true, row = 34, gap = 44 }) {
  const nodes = [];
  const links = [];
  const columns = [];
  let below = 0;
  const place = (node, path, depth) => {
    const own = { path, node, depth, width: width(node), y: 0, leaf: true };
    nodes.push(own);
    columns[depth] = Math.max(columns[depth] ?? 0, own.width);
    const children = open(path, node) ? node.children : [];
    if (children.length === 0) {
      own.y = below;
      below += row;
      return own;
    }
    own.leaf = false;
    const placed = children.map((child) => place(child, `${path}/${child.name}`, depth + 1));
    placed.forEach((child) => links.push([own, child]));
    own.y = (placed[0].y + placed[placed.length - 1].y) / 2;
    return own;
  };
  place(root, root.name, 0);
  const lefts = [0];
  columns.forEach((column, depth) => {
    lefts[depth + 1] = lefts[depth] + column + gap;
  });
  nodes.forEach((node) => {
    node.x = lefts[node.depth];
  });
  return { nodes, links, width: lefts[columns.length] - gap, height: below };
}

/**
 * A graph in layers: what needs nothing on top, each node below all that it needs, those of a layer ordered so that
 * edges cross little. Edges are `{ from, to }`, where `from` needs `to`; one that passes layers gets a place of its
 * own in each. Returns `{ nodes: Map(name → { name, layer, x, y, width }), ways, width, height }`, where `ways` has,
 * for each edge that has both ends, `{ edge, stops }`: the nodes and places that it leads through, from the bottom up.
 */
export function graphLayout(names, edges, { width, rowHeight = 96, gap = 36 }) {
  const there = new Set(names);
  const whole = edges.filter(({ from, to }) => there.has(from) && there.has(to));
  const layerOf = layersOf(names, whole);
  const layers = Array.from({ length: Math.max(-1, ...layerOf.values()) + 1 }, () => []);
  names.forEach((name) => layers[layerOf.get(name)].push(name));
  const neighbours = new Map(names.map((name) => [name, []]));
  const ways = whole.map((edge) => {
    const stops = [edge.from];
    for (let layer = layerOf.get(edge.from) - 1; layer > layerOf.get(edge.to); layer -= 1) {
      const place = `${edge.from}>${edge.to}@${layer}`;
      layers[layer].push(place);
      layerOf.set(place, layer);
      neighbours.set(place, []);
      stops.push(place);
    }
    stops.push(edge.to);
    for (let nth = 1; nth < stops.length; nth += 1) {
      neighbours.get(stops[nth]).push(stops[nth - 1]);
      neighbours.get(stops[nth - 1]).push(stops[nth]);
    }
    return { edge, stops };
  });
  untangle(layers, layerOf, neighbours);
  const layout = placed(layers, (name) => (there.has(name) ? width(name) : 8), rowHeight, gap);
  const all = layout.nodes;
  return {
    ...layout,
    nodes: new Map(names.map((name) => [name, all.get(name)])),
    ways: ways.map(({ edge, stops }) => ({ edge, stops: stops.map((name) => all.get(name)) })),
  };
}

/** How many others a node needs one below the other. */
function layersOf(names, edges) {
  const needs = new Map(names.map((name) => [name, []]));
  edges.forEach(({ from, to }) => needs.get(from).push(to));
  const found = new Map();
  const layer = (name, above) => {
    if (found.has(name)) return found.get(name);
    // A circle is an error in the configuration, and yet nothing to hang in.
    if (above.has(name)) return 0;
    const next = new Set(above).add(name);
    const own = needs.get(name).reduce((most, to) => Math.max(most, layer(to, next) + 1), 0);
    found.set(name, own);
    return own;
  };
  names.forEach((name) => layer(name, new Set()));
  return found;
}

/** Orders each layer by the middle of its neighbours in the one before, down and up a few times. */
function untangle(layers, layerOf, neighbours) {
  for (let round = 0; round < 6; round += 1) {
    const down = round % 2 === 0;
    const order = down ? layers.keys() : [...layers.keys()].reverse();
    const rank = new Map();
    layers.forEach((all) => all.forEach((name, nth) => rank.set(name, (nth + 0.5) / all.length)));
    for (const nth of order) {
      const middle = new Map(layers[nth].map((name) => {
        const there = neighbours.get(name).filter((it) => (down ? layerOf.get(it) < nth : layerOf.get(it) > nth));
        const sum = there.reduce((total, it) => total + rank.get(it), 0);
        return [name, there.length ? sum / there.length : rank.get(name)];
      }));
      layers[nth].sort((a, b) => middle.get(a) - middle.get(b));
      layers[nth].forEach((name, at) => rank.set(name, (at + 0.5) / layers[nth].length));
    }
  }
}

function placed(layers, width, rowHeight, gap) {
  const span = (all) => all.reduce((sum, name) => sum + width(name) + gap, -gap);
  const widest = Math.max(0, ...layers.map(span));
  const nodes = new Map();
  layers.forEach((all, nth) => {
    let x = (widest - span(all)) / 2;
    for (const name of all) {
      nodes.set(name, { name, layer: nth, x, y: nth * rowHeight, width: width(name) });
      x += width(name) + gap;
    }
  });
  return { nodes, width: widest, height: layers.length * rowHeight };
}

/** The points of a sparkline in a box, as an SVG path; the newest at the right edge. */
export function sparkline(values, most, { width, height, points }) {
  if (values.length < 2) return "";
  const step = width / (points - 1);
  const from = width - (values.length - 1) * step;
  const y = (value) => height - 1 - (Math.min(value, most) / most) * (height - 2);
  return values.map((value, nth) => `${nth ? "L" : "M"}${(from + nth * step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}
