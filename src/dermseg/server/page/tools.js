// What draws into a mask: each tool changes a raster, and says what of it has changed.

import { union } from "./raster.js";

/**
 * @typedef {import("./raster.js").Raster} Raster
 * @typedef {import("./raster.js").Rect} Rect
 * @typedef {{x: number, y: number}} Point
 */

/**
 * Move a round brush along a line, at pixel centres plus a half.
 * @param {Raster} raster
 * @param {Point} from @param {Point} to @param {number} radius @param {number} value
 * @returns {Rect} what changed
 */
export function stroke(raster, from, to, radius, value) {
  const rect = raster.clip({
    left: Math.min(from.x, to.x) - radius - 1, top: Math.min(from.y, to.y) - radius - 1,
    right: Math.max(from.x, to.x) + radius + 1, bottom: Math.max(from.y, to.y) + radius + 1,
  });
  raster.touch(rect);
  const dx = to.x - from.x, dy = to.y - from.y, length = Math.hypot(dx, dy);
  // The corners of the band between the two discs.
  const nx = length ? (-dy / length) * radius : 0, ny = length ? (dx / length) * radius : 0;
  const corners = [
    { x: from.x + nx, y: from.y + ny }, { x: to.x + nx, y: to.y + ny },
    { x: to.x - nx, y: to.y - ny }, { x: from.x - nx, y: from.y - ny },
  ];
  for (let y = rect.top; y < rect.bottom; y++) {
    const middle = y + 0.5;
    let low = Infinity, high = -Infinity;
    for (const disc of [from, to]) {
      const half = radius * radius - (middle - disc.y) ** 2;
      if (half < 0) continue;
      low = Math.min(low, disc.x - Math.sqrt(half));
      high = Math.max(high, disc.x + Math.sqrt(half));
    }
    if (length) {
      for (const x of crossings(corners, middle)) {
        low = Math.min(low, x);
        high = Math.max(high, x);
      }
    }
    // Pixels whose centres are inside.
    const left = Math.max(rect.left, Math.ceil(low - 0.5));
    const right = Math.min(rect.right, Math.floor(high - 0.5) + 1);
    if (left < right) raster.setRow(y, left, right, value);
  }
  return rect;
}

/**
 * Fill a polygon by the even-odd rule.
 * @param {Raster} raster
 * @param {Point[]} points @param {number} value @returns {Rect} what changed
 */
export function polygon(raster, points, value) {
  const xs = points.map((point) => point.x), ys = points.map((point) => point.y);
  const rect = raster.clip({
    left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys),
  });
  raster.touch(rect);
  for (let y = rect.top; y < rect.bottom; y++) {
    const cuts = crossings(points, y + 0.5).sort((one, other) => one - other);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const left = Math.max(rect.left, Math.ceil(cuts[i] - 0.5));
      const right = Math.min(rect.right, Math.ceil(cuts[i + 1] - 0.5));
      if (left < right) raster.setRow(y, left, right, value);
    }
  }
  return rect;
}

/**
 * Give a whole connected part another value: fills a hole, or erases a region.
 * @param {Raster} raster
 * @param {number} x @param {number} y @param {number} value @returns {Rect | null} what changed
 */
export function fill(raster, x, y, value) {
  const { width, height, data } = raster;
  if (x < 0 || y < 0 || x >= width || y >= height || data[y * width + x] === value) return null;
  const stack = [x, y];
  /** @type {Rect | null} */
  let changed = null;
  while (stack.length) {
    const row = /** @type {number} */ (stack.pop()), column = /** @type {number} */ (stack.pop());
    const start = row * width;
    if (data[start + column] === value) continue;
    let left = column, right = column + 1;
    while (left > 0 && data[start + left - 1] !== value) left--;
    while (right < width && data[start + right] !== value) right++;
    const rect = { left, top: row, right, bottom: row + 1 };
    raster.touch(rect);
    raster.setRow(row, left, right, value);
    changed = union(changed, rect);
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      for (let i = left; i < right; i++) {
        const at = next * width + i;
        if (data[at] !== value && (i === left || data[at - 1] === value)) stack.push(i, next);
      }
    }
  }
  return changed;
}

/** Add a pixel all around. @param {Raster} raster */
export function grow(raster) {
  return filter(raster, 1, 0, (sum) => sum > 0);
}

/** Take a pixel away all around; the mask goes on beyond the edge. @param {Raster} raster */
export function shrink(raster) {
  return filter(raster, 1, 1, (sum) => sum === 9);
}

/** Each pixel as most of the nine around it. @param {Raster} raster */
export function smooth(raster) {
  return filter(raster, 1, null, (sum) => sum > 4);
}

/**
 * Decide each pixel by how many of the nine around it are set.
 * @param {Raster} raster
 * @param {number} margin @param {number | null} outside value beyond the edge; null repeats it
 * @param {(sum: number) => boolean} decide @returns {Rect | null} what changed
 */
function filter(raster, margin, outside, decide) {
  const bounds = raster.bounds();
  if (!bounds) return null;
  const rect = raster.clip({
    left: bounds.left - margin, top: bounds.top - margin,
    right: bounds.right + margin, bottom: bounds.bottom + margin,
  });
  raster.touch(rect);
  const { width, height } = raster, table = Uint8Array.from({ length: 10 }, (_, sum) => +decide(sum));
  const wide = rect.right - rect.left;
  /** Row y with a pixel on both sides. @param {number} y */
  const read = (y) => {
    const row = new Uint8Array(wide + 2);
    if ((y < 0 || y >= height) && outside !== null) return row.fill(outside);
    const start = Math.min(height - 1, Math.max(0, y)) * width;
    row.set(raster.data.subarray(start + rect.left, start + rect.right), 1);
    row[0] = rect.left > 0 ? raster.data[start + rect.left - 1] : (outside ?? row[1]);
    row[wide + 1] = rect.right < width ? raster.data[start + rect.right] : (outside ?? row[wide]);
    return row;
  };
  let above = read(rect.top - 1), here = read(rect.top);
  for (let y = rect.top; y < rect.bottom; y++) {
    const below = read(y + 1), start = y * width + rect.left;
    let left = above[0] + here[0] + below[0], middle = above[1] + here[1] + below[1];
    for (let x = 0; x < wide; x++) {
      const right = above[x + 2] + here[x + 2] + below[x + 2];
      raster.data[start + x] = table[left + middle + right];
      left = middle;
      middle = right;
    }
    raster.rows[y] = null;
    above = here;
    here = below;
  }
  return rect;
}

/** Remove all but the largest region, corners counting as joined. @param {Raster} raster @returns {Rect | null} */
export function keepLargest(raster) {
  /** @type {{y: number, left: number, right: number}[]} */
  const runs = [];
  /** @type {number[]} */
  const parent = [];
  /** @param {number} i @returns {number} */
  const root = (i) => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  let above = 0, aboveEnd = 0;
  for (let y = 0; y < raster.height; y++) {
    const row = raster.row(y), start = runs.length;
    for (let i = 0; i < row.length; i += 2) {
      const run = { y, left: row[i] - y * raster.width, right: row[i + 1] - y * raster.width };
      parent.push(runs.length);
      for (let j = above; j < aboveEnd; j++) {
        const other = runs[j];
        if (other.left <= run.right && run.left <= other.right) parent[root(j)] = root(runs.length);
      }
      runs.push(run);
    }
    above = start;
    aboveEnd = runs.length;
  }
  const areas = new Map();
  runs.forEach((run, i) => areas.set(root(i), (areas.get(root(i)) ?? 0) + run.right - run.left));
  let largest = -1;
  for (const [region, area] of areas) if (largest < 0 || area > areas.get(largest)) largest = region;
  /** @type {Rect | null} */
  let changed = null;
  runs.forEach(({ y, left, right }, i) => {
    if (root(i) === largest) return;
    const rect = { left, top: y, right, bottom: y + 1 };
    raster.touch(rect);
    raster.setRow(y, left, right, 0);
    changed = union(changed, rect);
  });
  return changed;
}

/** Remove all. @param {Raster} raster @returns {Rect | null} */
export function clear(raster) {
  const bounds = raster.bounds();
  if (!bounds) return null;
  raster.touch(bounds);
  for (let y = bounds.top; y < bounds.bottom; y++) raster.setRow(y, bounds.left, bounds.right, 0);
  return bounds;
}

/** Where the sides of a polygon cross a row. @param {Point[]} points @param {number} y */
function crossings(points, y) {
  const found = [];
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const one = points[j], other = points[i];
    if (one.y <= y === other.y <= y) continue;
    found.push(one.x + ((y - one.y) / (other.y - one.y)) * (other.x - one.x));
  }
  return found;
}
