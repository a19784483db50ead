import assert from "node:assert/strict";
import { test } from "node:test";

import { Raster } from "../../../src/dermseg/server/page/raster.js";
import * as tools from "../../../src/dermseg/server/page/tools.js";

/** @param {string[]} lines */
function draw(lines) {
  const raster = new Raster(lines[0].length, lines.length);
  lines.forEach((line, y) => [...line].forEach((c, x) => (raster.data[y * raster.width + x] = +(c === "#"))));
  return raster;
}

/** @param {Raster} raster */
function show(raster) {
  return Array.from({ length: raster.height }, (_, y) =>
    Array.from(raster.data.subarray(y * raster.width, (y + 1) * raster.width), (v) => ".#"[v]).join(""));
}

/** Numbers that look random and are the same each time. */
function random(seed = 1) {
  return () => (seed = (seed * 48271) % 2147483647) / 2147483647;
}

/** @param {Raster} raster @param {string[]} names @param {() => number} next */
function change(raster, names, next) {
  const point = () => ({ x: next() * raster.width, y: next() * raster.height });
  raster.begin();
  switch (names[Math.floor(next() * names.length)]) {
    case "stroke": tools.stroke(raster, point(), point(), 1 + next() * 40, +(next() < 0.6)); break;
    case "polygon": tools.polygon(raster, [point(), point(), point(), point()], +(next() < 0.6)); break;
    case "fill": tools.fill(raster, Math.floor(point().x), Math.floor(point().y), +(next() < 0.5)); break;
    case "grow": tools.grow(raster); break;
    case "shrink": tools.shrink(raster); break;
    case "smooth": tools.smooth(raster); break;
    case "largest": tools.keepLargest(raster); break;
    case "clear": tools.clear(raster); break;
  }
  raster.commit();
}

const TOOLS = ["stroke", "stroke", "stroke", "polygon", "fill", "grow", "shrink", "smooth", "largest", "clear"];

test("a click of the brush is a disc", () => {
  const raster = new Raster(7, 7);
  tools.stroke(raster, { x: 3.5, y: 3.5 }, { x: 3.5, y: 3.5 }, 2.1, 1);
  assert.deepEqual(show(raster), [".......", "...#...", "..###..", ".#####.", "..###..", "...#...", "......."]);
});

test("a stroke is every pixel whose centre is near its line", () => {
  const next = random();
  for (let i = 0; i < 50; i++) {
    const raster = new Raster(60, 40), radius = 0.6 + next() * 12;
    const [a, b] = [0, 1].map(() => ({ x: next() * 70 - 5, y: next() * 50 - 5 }));
    tools.stroke(raster, a, b, radius, 1);
    for (let y = 0; y < 40; y++) for (let x = 0; x < 60; x++) {
      const dx = b.x - a.x, dy = b.y - a.y, px = x + 0.5 - a.x, py = y + 0.5 - a.y;
      const t = Math.max(0, Math.min(1, (px * dx + py * dy) / (dx * dx + dy * dy)));
      const distance = Math.hypot(px - t * dx, py - t * dy);
      if (Math.abs(distance - radius) > 1e-6) assert.equal(raster.data[y * 60 + x], +(distance < radius), `${x} ${y}`);
    }
  }
});

test("the eraser takes a part away", () => {
  const raster = draw(["#####", "#####", "#####"]);
  tools.stroke(raster, { x: 2.5, y: 0 }, { x: 2.5, y: 3 }, 0.6, 0);
  assert.deepEqual(show(raster), ["##.##", "##.##", "##.##"]);
});

test("a polygon is filled by the even-odd rule", () => {
  const raster = new Raster(6, 4);
  tools.polygon(raster, [{ x: 1, y: 1 }, { x: 5, y: 1 }, { x: 5, y: 3 }, { x: 1, y: 3 }], 1);
  assert.deepEqual(show(raster), ["......", ".####.", ".####.", "......"]);
});

test("fill closes a hole and stops at the border", () => {
  const raster = draw(["####.", "#..#.", "####."]);
  tools.fill(raster, 1, 1, 1);
  assert.deepEqual(show(raster), ["####.", "####.", "####."]);
  assert.equal(tools.fill(raster, 1, 1, 1), null);
});

test("fill erases one region", () => {
  const raster = draw(["##.##", "##.##"]);
  tools.fill(raster, 4, 0, 0);
  assert.deepEqual(show(raster), ["##...", "##..."]);
});

test("grow and shrink go by a pixel, and beyond the edge all counts as mask", () => {
  const raster = draw([".....", "..#..", "....."]);
  tools.grow(raster);
  assert.deepEqual(show(raster), [".###.", ".###.", ".###."]);
  tools.shrink(raster);
  assert.deepEqual(show(raster), ["..#..", "..#..", "..#.."]);
});

test("smooth removes what sticks out", () => {
  const raster = draw([".......", "..#....", ".#####.", ".#####.", ".#####.", "......."]);
  tools.smooth(raster);
  assert.equal(raster.data[1 * 7 + 2], 0);
  assert.equal(raster.data[3 * 7 + 3], 1);
});

test("the largest region is kept, corners joined", () => {
  const raster = draw(["##...#", "..##..", "#....#", "#....."]);
  tools.keepLargest(raster);
  assert.deepEqual(show(raster), ["##....", "..##..", "......", "......"]);
});

test("runs come and go unchanged", () => {
  const raster = draw(["..##", "##..", "#..#"]);
  const runs = raster.runs();
  assert.deepEqual([...new Uint32Array(runs)], [2, 4, 4, 6, 8, 9, 11, 12]);
  const other = new Raster(4, 3);
  other.load(runs);
  assert.deepEqual(other.data, raster.data);
  assert.equal(other.area(), 6);
});

test("runs follow every tool, undo and redo", () => {
  const raster = new Raster(200, 150), next = random(7);
  for (let i = 0; i < 60; i++) {
    change(raster, TOOLS, next);
    if (next() < 0.3) raster.undo();
    if (next() < 0.1) raster.redo();
    const other = new Raster(200, 150);
    other.load(raster.runs());
    assert.deepEqual(other.data, raster.data);
  }
});

test("a hundred changes are undone one by one, and redone", () => {
  const raster = new Raster(200, 150), next = random(3), states = [raster.data.slice()];
  while (raster.done.length < 100) {
    const before = raster.done.length;
    change(raster, TOOLS, next);
    if (raster.done.length > before) states.push(raster.data.slice());
  }
  for (let i = 99; i >= 0; i--) {
    assert.ok(raster.undo());
    assert.deepEqual(raster.data, states[i]);
  }
  assert.equal(raster.undo(), null);
  for (let i = 1; i <= 100; i++) {
    raster.redo();
    assert.deepEqual(raster.data, states[i]);
  }
  assert.equal(raster.redo(), null);
});

test("what is drawn after undoing cannot be redone over", () => {
  const raster = new Raster(10, 10);
  for (const x of [2, 5]) {
    raster.begin();
    tools.stroke(raster, { x, y: 5 }, { x, y: 5 }, 1, 1);
    raster.commit();
  }
  raster.undo();
  raster.begin();
  tools.clear(raster);
  raster.commit();
  assert.equal(raster.redo(), null);
});

test("undo of changes to a whole photograph of 12 megapixels stays small", () => {
  const raster = new Raster(4000, 3000);
  raster.begin();
  tools.polygon(raster, [{ x: 0, y: 0 }, { x: 4000, y: 0 }, { x: 4000, y: 3000 }, { x: 0, y: 3000 }], 1);
  raster.commit();
  const sizes = [...raster.done[0].tiles.values()].map((tile) => (typeof tile === "number" ? 8 : tile.length));
  assert.ok(sizes.reduce((sum, size) => sum + size) < 100_000);
});
