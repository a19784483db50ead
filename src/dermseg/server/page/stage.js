// The photograph and its mask on the screen: two canvases, zoom and pan.
//
// The mask is never read back from a canvas: it lives in a Raster, and each screen pixel looks up
// the pixel of the mask that it shows. So a stroke costs as many pixels as it covers on the screen,
// however large the photograph is.

import { element } from "./elements.js";
import { TEXTS } from "./texts.js";

/**
 * @typedef {import("./raster.js").Raster} Raster
 * @typedef {import("./raster.js").Rect} Rect
 * @typedef {import("./tools.js").Point} Point
 */

const LINE = 0xffc8ff40; // as little-endian RGBA: bright turquoise
const RIM = 0xb0000000;
const MOST_SCALE = 40;

export class Stage {
  constructor() {
    this.photo = element("canvas");
    this.overlay = element("canvas");
    this.cursor = element("div", { class: "cursor" });
    this.badge = element("p", { class: "badge", role: "status" });
    this.root = element("div", {
      class: "stage", tabindex: 0, role: "application", "aria-label": TEXTS.tools.canvas,
    }, this.photo, this.overlay, this.cursor, this.badge);
    this.photoContext = /** @type {CanvasRenderingContext2D} */ (this.photo.getContext("2d"));
    this.overlayContext = /** @type {CanvasRenderingContext2D} */ (this.overlay.getContext("2d"));
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    /** The photograph at half its size, again and again, for small views. @type {ImageBitmap[]} */
    this.smaller = [];
    /** @type {Raster | null} */
    this.raster = null;
    /** What is compared with. @type {Uint8Array | null} */
    this.before = null;
    /** @type {"mask" | "before" | "none"} */
    this.shown = "mask";
    this.isFilled = false;
    this.opacity = 0.35;
    /** Corners of a polygon that is being drawn. @type {Point[]} */
    this.corners = [];
    // Of the photograph's upper left corner, and of its pixels, in pixels of the canvas.
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.isFitted = true;
    this.frame = 0;
    new ResizeObserver(() => this.resize()).observe(this.root);
  }

  /** @param {ImageBitmap} bitmap @param {Raster} raster */
  show(bitmap, raster) {
    this.bitmap = bitmap;
    this.raster = raster;
    this.before = raster.data.slice();
    this.shown = "mask";
    this.smaller = [];
    this.corners = [];
    this.fit();
    this.halve(bitmap);
  }

  clear() {
    this.bitmap = this.raster = this.before = null;
    this.draw();
  }

  /** @param {ImageBitmap} bitmap */
  async halve(bitmap) {
    let last = bitmap;
    while (last.width > 1600 && this.bitmap === bitmap) {
      last = await createImageBitmap(last, {
        resizeWidth: Math.round(last.width / 2), resizeHeight: Math.round(last.height / 2),
        resizeQuality: "medium",
      });
      this.smaller.push(last);
    }
    if (this.bitmap === bitmap) this.draw();
  }

  // ---- where things are -------------------------------------------------------------------------

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.root.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.root.clientHeight * ratio));
    if (width === this.photo.width && height === this.photo.height) return;
    for (const canvas of [this.photo, this.overlay]) {
      canvas.width = width;
      canvas.height = height;
    }
    if (this.isFitted) this.fit();
    else this.draw();
  }

  fit() {
    if (!this.bitmap) return;
    const { width, height } = this.photo, margin = 0.97;
    this.scale = Math.min(width / this.bitmap.width, height / this.bitmap.height) * margin;
    this.left = (width - this.bitmap.width * this.scale) / 2;
    this.top = (height - this.bitmap.height * this.scale) / 2;
    this.isFitted = true;
    this.draw();
  }

  /** Zoom around a place on the screen. @param {number} factor @param {Point} [at] */
  zoom(factor, at = { x: this.root.clientWidth / 2, y: this.root.clientHeight / 2 }) {
    if (!this.bitmap) return;
    const ratio = window.devicePixelRatio || 1, x = at.x * ratio, y = at.y * ratio;
    const least = (0.5 * Math.min(this.photo.width, this.photo.height)) /
      Math.max(this.bitmap.width, this.bitmap.height);
    const scale = Math.min(MOST_SCALE, Math.max(Math.min(least, this.scale), this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.isFitted = false;
    this.draw();
  }

  /** Move by pixels of the screen. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    const ratio = window.devicePixelRatio || 1;
    this.left += dx * ratio;
    this.top += dy * ratio;
    this.isFitted = false;
    this.draw();
  }

  /** From the screen to the photograph. @param {number} clientX @param {number} clientY @returns {Point} */
  locate(clientX, clientY) {
    const box = this.root.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    return {
      x: ((clientX - box.left) * ratio - this.left) / this.scale,
      y: ((clientY - box.top) * ratio - this.top) / this.scale,
    };
  }

  /** Show the brush. @param {Point | null} at @param {number} radius in pixels of the photograph */
  point(at, radius) {
    const ratio = window.devicePixelRatio || 1;
    this.cursor.hidden = !at;
    if (!at) return;
    const side = Math.max(3, (2 * radius * this.scale) / ratio);
    const x = (at.x * this.scale + this.left) / ratio - side / 2;
    const y = (at.y * this.scale + this.top) / ratio - side / 2;
    this.cursor.style.width = this.cursor.style.height = `${side}px`;
    this.cursor.style.transform = `translate(${x}px, ${y}px)`;
  }

  // ---- drawing ----------------------------------------------------------------------------------

  /** Draw all, with the next frame. */
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawPhoto();
      this.drawMask();
    });
  }

  drawPhoto() {
    const context = this.photoContext;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.photo.width, this.photo.height);
    if (!this.bitmap) return;
    let source = this.bitmap;
    for (const half of this.smaller) if (half.width >= this.bitmap.width * this.scale) source = half;
    context.imageSmoothingEnabled = this.scale < 4;
    context.imageSmoothingQuality = "medium";
    context.drawImage(source, this.left, this.top, this.bitmap.width * this.scale,
      this.bitmap.height * this.scale);
  }

  /** Draw the mask, or what of it shows a part. @param {Rect | null} [part] */
  drawMask(part) {
    const { width, height } = this.overlay;
    let area = { left: 0, top: 0, right: width, bottom: height };
    if (part) {
      const rim = 4 + Math.ceil(2 * this.scale); // the outline reaches over
      area = {
        left: Math.max(0, Math.floor(part.left * this.scale + this.left) - rim),
        top: Math.max(0, Math.floor(part.top * this.scale + this.top) - rim),
        right: Math.min(width, Math.ceil(part.right * this.scale + this.left) + rim),
        bottom: Math.min(height, Math.ceil(part.bottom * this.scale + this.top) + rim),
      };
    }
    const wide = area.right - area.left, high = area.bottom - area.top;
    if (wide <= 0 || high <= 0) return;
    const picture = new ImageData(wide, high);
    if (this.raster && this.shown !== "none") this.paint(picture, area);
    this.overlayContext.putImageData(picture, area.left, area.top);
    if (this.corners.length) this.drawCorners();
  }

  /** @param {ImageData} picture @param {Rect} area */
  paint(picture, area) {
    const raster = /** @type {Raster} */ (this.raster);
    const pixels = new Uint32Array(picture.data.buffer);
    const data = this.shown === "before" && this.before ? this.before : raster.data;
    const { width, height } = raster, wide = picture.width;
    const fill = this.isFilled ? ((Math.round(255 * this.opacity) << 24) | 0xd8b810) >>> 0 : 0;
    const line = ((Math.round(255 * Math.min(1, 0.55 + this.opacity)) << 24) | (LINE & 0xffffff)) >>> 0;
    const ratio = window.devicePixelRatio || 1;
    // The outline is as wide on the screen at every zoom.
    const inside = Math.max(1, Math.round((2 * ratio) / this.scale));
    const outside = Math.max(1, Math.round(ratio / this.scale));
    const columns = new Int32Array(wide);
    for (let x = 0; x < wide; x++) columns[x] = Math.floor((x + area.left + 0.5 - this.left) / this.scale);
    for (let y = 0; y < picture.height; y++) {
      const row = Math.floor((y + area.top + 0.5 - this.top) / this.scale);
      if (row < 0 || row >= height) continue;
      const start = row * width, out = y * wide;
      for (let x = 0; x < wide; x++) {
        const column = columns[x];
        if (column < 0 || column >= width) continue;
        const value = data[start + column], reach = value ? inside : outside;
        const above = data[Math.max(0, row - reach) * width + column];
        const below = data[Math.min(height - 1, row + reach) * width + column];
        const left = data[start + (column < reach ? 0 : column - reach)];
        const right = data[start + (column + reach >= width ? width - 1 : column + reach)];
        if (value) pixels[out + x] = above + below + left + right < 4 ? line : fill;
        else if (above + below + left + right) pixels[out + x] = RIM;
      }
    }
  }

  drawCorners() {
    const context = this.overlayContext;
    context.beginPath();
    for (const { x, y } of this.corners) context.lineTo(x * this.scale + this.left, y * this.scale + this.top);
    context.lineWidth = 4;
    context.strokeStyle = "#000a";
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = "#40ffc8";
    context.stroke();
    for (const { x, y } of this.corners) {
      context.fillStyle = "#40ffc8";
      context.fillRect(x * this.scale + this.left - 3, y * this.scale + this.top - 3, 6, 6);
    }
  }

  /**
   * A photograph and its outline as a picture to keep.
   * @param {number} side @param {ImageBitmap} bitmap @param {Raster} raster @returns {Promise<Blob>}
   */
  async picture(side, bitmap, raster) {
    const own = new Stage();
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    for (const canvas of [own.photo, own.overlay]) {
      canvas.width = Math.round(bitmap.width * scale);
      canvas.height = Math.round(bitmap.height * scale);
    }
    Object.assign(own, { bitmap, raster, scale, opacity: 1 });
    own.drawPhoto();
    own.drawMask();
    own.photoContext.drawImage(own.overlay, 0, 0);
    return new Promise((resolve, reject) => own.photo.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error())), "image/jpeg", 0.9));
  }
}
