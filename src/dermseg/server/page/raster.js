// The mask that is being drawn: its pixels, its runs, and undo. Knows nothing of the screen.

/**
 * A part of the mask, from (left, top) up to but without (right, bottom).
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect
 * A tile before a change: one value for all of it, or its pixels as bits.
 * @typedef {number | Uint8Array} Tile
 * @typedef {{tiles: Map<number, Tile>}} Step
 */

const TILE = 64;

export class Raster {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** 1 in the lesion, else 0, along the rows. */
    this.data = new Uint8Array(width * height);
    this.tilesAcross = Math.ceil(width / TILE);
    /** Runs of each row, or null where it has changed. @type {(Uint32Array | null)[]} */
    this.rows = new Array(height).fill(null);
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
    /** @type {Step | null} */
    this.open = null;
  }

  /**
   * Replace all pixels by runs as the server sends them; forgets what could be undone.
   * @param {ArrayBuffer} runs
   */
  load(runs) {
    this.data.fill(0);
    const borders = new Uint32Array(runs);
    for (let i = 0; i < borders.length; i += 2) this.data.fill(1, borders[i], borders[i + 1]);
    this.rows.fill(null);
    this.done = [];
    this.undone = [];
  }

  /** Runs of set pixels, as the server takes them. @returns {ArrayBuffer} */
  runs() {
    let length = 0;
    for (let y = 0; y < this.height; y++) length += this.row(y).length;
    const all = new Uint32Array(length);
    let at = 0;
    for (let y = 0; y < this.height; y++) {
      all.set(this.row(y), at);
      at += this.row(y).length;
    }
    return all.buffer;
  }

  /** Number of set pixels. */
  area() {
    let sum = 0;
    for (let y = 0; y < this.height; y++) {
      const row = this.row(y);
      for (let i = 0; i < row.length; i += 2) sum += row[i + 1] - row[i];
    }
    return sum;
  }

  /** First pixel and the first after each run of a row. @param {number} y @returns {Uint32Array} */
  row(y) {
    const known = this.rows[y];
    if (known) return known;
    const start = y * this.width;
    const pixels = this.data.subarray(start, start + this.width);
    const found = [];
    for (let x = pixels.indexOf(1); x >= 0; ) {
      let end = pixels.indexOf(0, x);
      if (end < 0) end = this.width;
      found.push(start + x, start + end);
      x = end < this.width ? pixels.indexOf(1, end) : -1;
    }
    return (this.rows[y] = Uint32Array.from(found));
  }

  /** What the set pixels fill. @returns {Rect | null} */
  bounds() {
    let left = this.width, right = 0, top = -1, bottom = 0;
    for (let y = 0; y < this.height; y++) {
      const row = this.row(y);
      if (!row.length) continue;
      if (top < 0) top = y;
      bottom = y + 1;
      left = Math.min(left, row[0] - y * this.width);
      right = Math.max(right, row[row.length - 1] - y * this.width);
    }
    return top < 0 ? null : { left, top, right, bottom };
  }

  // ---- undo -----------------------------------------------------------------------------------

  /** Begin what is undone as one. */
  begin() {
    if (!this.open) this.open = { tiles: new Map() };
  }

  /** End it. @returns {boolean} whether anything may have changed */
  commit() {
    const step = this.open;
    this.open = null;
    if (!step || !step.tiles.size) return false;
    this.done.push(step);
    this.undone = [];
    return true;
  }

  /** @returns {Rect | null} what changed */
  undo() {
    return this.swap(this.done, this.undone);
  }

  /** @returns {Rect | null} what changed */
  redo() {
    return this.swap(this.undone, this.done);
  }

  /** @param {Step[]} from @param {Step[]} to @returns {Rect | null} */
  swap(from, to) {
    const step = from.pop();
    if (!step) return null;
    /** @type {Rect | null} */
    let changed = null;
    for (const [index, tile] of step.tiles) {
      step.tiles.set(index, this.pack(index));
      this.unpack(index, tile);
      changed = union(changed, this.tileRect(index));
    }
    to.push(step);
    return changed;
  }

  /** @param {number} index @returns {Rect} */
  tileRect(index) {
    const left = (index % this.tilesAcross) * TILE;
    const top = Math.floor(index / this.tilesAcross) * TILE;
    return {
      left, top,
      right: Math.min(left + TILE, this.width), bottom: Math.min(top + TILE, this.height),
    };
  }

  /** @param {number} index @returns {Tile} */
  pack(index) {
    const { left, top, right, bottom } = this.tileRect(index);
    const first = this.data[top * this.width + left];
    const bits = new Uint8Array((TILE * TILE) / 8);
    let isUniform = true;
    for (let y = top; y < bottom; y++) {
      const start = y * this.width;
      for (let x = left; x < right; x++) {
        const value = this.data[start + x];
        if (value !== first) isUniform = false;
        if (value) bits[((y - top) * TILE + x - left) >> 3] |= 1 << ((x - left) & 7);
      }
    }
    return isUniform ? first : bits;
  }

  /** @param {number} index @param {Tile} tile */
  unpack(index, tile) {
    const { left, top, right, bottom } = this.tileRect(index);
    for (let y = top; y < bottom; y++) {
      const start = y * this.width;
      this.rows[y] = null;
      if (typeof tile === "number") {
        this.data.fill(tile, start + left, start + right);
        continue;
      }
      for (let x = left; x < right; x++) {
        this.data[start + x] = (tile[((y - top) * TILE + x - left) >> 3] >> ((x - left) & 7)) & 1;
      }
    }
  }

  /** Remember a part before it changes. @param {Rect} rect */
  touch({ left, top, right, bottom }) {
    if (!this.open || left >= right || top >= bottom) return;
    for (let ty = Math.floor(top / TILE); ty * TILE < bottom; ty++) {
      for (let tx = Math.floor(left / TILE); tx * TILE < right; tx++) {
        const index = ty * this.tilesAcross + tx;
        if (!this.open.tiles.has(index)) this.open.tiles.set(index, this.pack(index));
      }
    }
  }

  /** @param {number} y @param {number} left @param {number} right @param {number} value */
  setRow(y, left, right, value) {
    this.data.fill(value, y * this.width + left, y * this.width + right);
    this.rows[y] = null;
  }

  /** @param {Rect} rect @returns {Rect} what of it lies in the mask */
  clip({ left, top, right, bottom }) {
    return {
      left: Math.max(0, Math.floor(left)), top: Math.max(0, Math.floor(top)),
      right: Math.min(this.width, Math.ceil(right)), bottom: Math.min(this.height, Math.ceil(bottom)),
    };
  }
}

/** @param {Rect | null} one @param {Rect | null} other @returns {Rect | null} */
export function union(one, other) {
  if (!one || !other) return one ?? other;
  return {
    left: Math.min(one.left, other.left), top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right), bottom: Math.max(one.bottom, other.bottom),
  };
}
