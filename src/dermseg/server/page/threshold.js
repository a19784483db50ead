// A quick look at another threshold, from the probabilities at the network's size.
//
// The server makes the exact mask once the slider is let go.

import { decode } from "./api.js";
import { Raster } from "./raster.js";
import { fill, keepLargest } from "./tools.js";

const SIDE = 512;

/**
 * The runs of the mask at a threshold: the largest region, its holes filled.
 * @param {import("./api.js").ProbabilityMap} map @param {number} width @param {number} height
 * @param {number} threshold in (0, 1) @returns {ArrayBuffer}
 */
export function runsAt(map, width, height, threshold) {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const small = new Raster(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const [left, top, wide, high] = map.box ?? [0, 0, width, height];
  const values = decode(map.values), limit = 255 * threshold;
  for (let y = 0; y < small.height; y++) {
    const fy = (((y + 0.5) / small.height) * height - top) / high;
    if (fy < 0 || fy >= 1) continue;
    const sy = clamp(fy * map.height - 0.5, map.height - 1), y0 = Math.floor(sy), ty = sy - y0;
    const row = y0 * map.width, next = Math.min(y0 + 1, map.height - 1) * map.width;
    for (let x = 0; x < small.width; x++) {
      const fx = (((x + 0.5) / small.width) * width - left) / wide;
      if (fx < 0 || fx >= 1) continue;
      const sx = clamp(fx * map.width - 0.5, map.width - 1), x0 = Math.floor(sx), tx = sx - x0;
      const x1 = Math.min(x0 + 1, map.width - 1);
      const above = values[row + x0] * (1 - tx) + values[row + x1] * tx;
      const below = values[next + x0] * (1 - tx) + values[next + x1] * tx;
      if (above * (1 - ty) + below * ty >= limit) small.data[y * small.width + x] = 1;
    }
  }
  keepLargest(small);
  fillHoles(small);
  return enlarge(small, width, height);
}

/** @param {Raster} raster */
function fillHoles(raster) {
  const { width, height } = raster;
  // What the outside reaches is no hole.
  const outside = new Raster(width + 2, height + 2);
  for (let y = 0; y < height; y++) {
    outside.data.set(raster.data.subarray(y * width, (y + 1) * width), (y + 1) * (width + 2) + 1);
  }
  fill(outside, 0, 0, 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!outside.data[(y + 1) * (width + 2) + x + 1]) raster.data[y * width + x] = 1;
    }
    raster.rows[y] = null;
  }
}

/** @param {Raster} small @param {number} width @param {number} height @returns {ArrayBuffer} */
function enlarge(small, width, height) {
  const runs = [];
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * small.height) / height);
    const start = row * small.width;
    for (const border of small.row(row)) {
      runs.push(y * width + Math.round(((border - start) * width) / small.width));
    }
  }
  return Uint32Array.from(runs).buffer;
}

/** @param {number} value @param {number} most */
const clamp = (value, most) => Math.min(most, Math.max(0, value));
