// Where the nodes of the pictures go.

import assert from "node:assert/strict";
import { test } from "node:test";

import { graphLayout, sparkline, treeLayout } from "./layout.mjs";

const tree = (name, ...children) => ({ name, children });
const width = (it) => (it.name ?? it).length * 10;

test("a tree has a row for each leaf, and parents in the middle", () => {
  const root = tree("a", tree("b", tree("c"), tree("d")), tree("e"));
  const { nodes, links, height } = treeLayout(root, { width, row: 10, gap: 5 });
  const at = Object.fromEntries(nodes.map(({ path, x, y }) => [path, [x, y]]));
  assert.deepEqual(at, { a: [0, 12.5], "a/b": [15, 5], "a/b/c": [30, 0], "a/b/d": [30, 10], "a/e": [15, 20] });
  assert.equal(links.length, 4);
  assert.equal(height, 30);
});

test("a folded node is a leaf", () => {
  const root = tree("a", tree("b", tree("c"), tree("d")));
  const { nodes, height } = treeLayout(root, { width, row: 10, open: (path) => path !== "a/b" });
  assert.deepEqual(nodes.map(({ path }) => path), ["a", "a/b"]);
  assert.equal(nodes[1].leaf, true);
  assert.equal(height, 10);
});

/** Edges as "web>api api>db". */
const edges = (text) => text.split(" ").filter(Boolean).map((edge) => {
  const [from, to] = edge.split(">");
  return { from, to };
});

const layersOf = ({ nodes }) => Object.fromEntries([...nodes].map(([name, { layer }]) => [name, layer]));

test("each node is below all that it needs", () => {
  const layout = graphLayout(["web", "api", "db", "other"], edges("web>api api>db web>db"), { width });
  assert.deepEqual(layersOf(layout), { web: 2, api: 1, db: 0, other: 0 });
});

test("a long edge has a place of its own in each layer that it passes", () => {
  const { ways, nodes } = graphLayout(["web", "api", "db"], edges("web>api api>db web>db"), { width });
  const long = ways.find(({ edge }) => edge.from === "web" && edge.to === "db");
  assert.equal(long.stops.length, 3);
  assert.equal(long.stops[1].y, nodes.get("api").y);
  const [api, place] = [nodes.get("api"), long.stops[1]];
  assert.ok(place.x >= api.x + api.width || place.x + place.width <= api.x, "beside, not through");
});

test("nodes of a layer do not lie on each other, and edges do not cross without need", () => {
  const names = ["a1", "a2", "a3", "b1", "b2", "b3"];
  const { nodes } = graphLayout(names, edges("b1>a3 b2>a2 b3>a1"), { width });
  const order = (prefix) => names.filter((it) => it.startsWith(prefix)).sort((a, b) => nodes.get(a).x - nodes.get(b).x);
  assert.deepEqual(order("b").map((it) => 4 - Number(it[1])), order("a").map((it) => Number(it[1])));
  for (const prefix of ["a", "b"]) {
    const row = order(prefix).map((it) => nodes.get(it));
    row.slice(1).forEach((it, nth) => assert.ok(it.x >= row[nth].x + row[nth].width));
  }
});

test("circles, loops and strangers hang nothing", () => {
  const layout = graphLayout(["a", "b"], edges("a>b b>a a>a a>nobody nobody>b"), { width });
  assert.equal(layout.nodes.size, 2);
});

test("a thousand services take no time", () => {
  const names = Array.from({ length: 1000 }, (_, nth) => `s${nth}`);
  const many = names.slice(20).flatMap((name, nth) => [{ from: name, to: names[nth] }, { from: name, to: names[nth + 7] }]);
  const began = performance.now();
  assert.equal(graphLayout(names, many, { width }).nodes.size, 1000);
  assert.ok(performance.now() - began < 5_000);
});

test("a sparkline ends at the right edge", () => {
  assert.equal(sparkline([1], 10, { width: 10, height: 12, points: 11 }), "");
  assert.equal(sparkline([0, 10, 5], 10, { width: 10, height: 12, points: 11 }), "M8.0 11.0L9.0 1.0L10.0 6.0");
  assert.match(sparkline([0, 99], 10, { width: 10, height: 12, points: 11 }), /L10\.0 1\.0$/);
});
