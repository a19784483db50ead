// The tools around the stage: what pointer and keys do to the mask.

import { makeBar, TOOLS, toSlider } from "./bar.js";
import { element, isTyping } from "./elements.js";
import { Stage } from "./stage.js";
import { TEXTS } from "./texts.js";
import * as tools from "./tools.js";

/**
 * @typedef {import("./raster.js").Raster} Raster
 * @typedef {import("./raster.js").Rect} Rect
 * @typedef {import("./bar.js").Tool} Tool
 */

const T = TEXTS.tools;

export class Editor {
  /** @param {() => void} onChange called after each change of the mask */
  constructor(onChange) {
    this.stage = new Stage();
    this.onChange = onChange;
    /** @type {Raster | null} */
    this.raster = null;
    /** @type {Tool} */
    this.tool = "brush";
    this.radius = 20;
    this.isActive = true;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    /** @type {tools.Point | null} */
    this.last = null;
    /** @type {tools.Point | null} where the tool is, also for keys */
    this.at = null;
    const { bar, buttons, sizer } = makeBar(this);
    this.bar = bar;
    this.buttons = buttons;
    this.sizer = sizer;
    this.root = element("div", { class: "editor" }, this.bar, this.stage.root);
    this.listen();
    this.choose("brush");
  }

  /** @param {ImageBitmap} bitmap @param {Raster} raster */
  open(bitmap, raster) {
    this.raster = raster;
    // A fiftieth of the photograph, so that few strokes do.
    this.setRadius(Math.max(3, Math.round(Math.min(raster.width, raster.height) / 30)));
    this.at = null;
    this.stage.point(null, 0);
    this.stage.show(bitmap, raster);
    this.update();
  }

  /** Begin anew with what the raster holds now. */
  reset() {
    if (!this.raster) return;
    this.stage.before = this.raster.data.slice();
    this.stage.shown = "mask";
    this.stage.drawMask();
    this.update();
  }

  /** Compare with a mask as the server sends it. @param {ArrayBuffer} runs */
  compareWith(runs) {
    const before = /** @type {Uint8Array} */ (this.stage.before).fill(0), borders = new Uint32Array(runs);
    for (let i = 0; i < borders.length; i += 2) before.fill(1, borders[i], borders[i + 1]);
  }

  close() {
    this.raster = null;
    this.stage.clear();
    this.update();
  }

  /** Whether the tools are there, or the photograph is only looked at. @param {boolean} isActive */
  setActive(isActive) {
    this.isActive = isActive;
    this.bar.hidden = !isActive;
    if (!isActive) this.stage.point(null, 0);
  }

  /** @param {Tool} tool */
  choose(tool) {
    this.tool = tool;
    this.cancelPolygon();
    for (const [name] of TOOLS) this.buttons[name].setAttribute("aria-pressed", String(name === tool));
    this.stage.root.dataset.tool = tool;
    this.stage.badge.textContent = tool === "polygon" ? T.polygonHint : "";
    this.stage.point(this.at, this.reach());
  }

  /** @param {number} radius in pixels of the photograph */
  setRadius(radius) {
    this.radius = Math.min(2000, Math.max(0.5, radius));
    this.sizer.value = String(toSlider(this.radius));
    this.stage.point(this.at, this.reach());
  }

  reach() {
    return this.tool === "brush" || this.tool === "eraser" ? this.radius : 0;
  }

  toggleFilled() {
    this.stage.isFilled = !this.stage.isFilled;
    this.update();
    this.stage.drawMask();
  }

  /** @param {"before" | "none"} what */
  toggle(what) {
    this.stage.shown = this.stage.shown === what ? "mask" : what;
    this.update();
    this.stage.drawMask();
  }

  update() {
    const { raster, stage } = this;
    this.buttons.undo.disabled = !raster?.done.length;
    this.buttons.redo.disabled = !raster?.undone.length;
    this.buttons.filled.setAttribute("aria-pressed", String(stage.isFilled));
    this.buttons.before.setAttribute("aria-pressed", String(stage.shown === "before"));
    this.buttons.hide.setAttribute("aria-pressed", String(stage.shown === "none"));
    if (this.tool !== "polygon") {
      stage.badge.textContent = { before: T.beforeShown, none: T.hidden, mask: "" }[stage.shown];
    }
  }

  // ---- changes ----------------------------------------------------------------------------------

  /** One change that is undone as a whole. @param {(raster: Raster) => Rect | null} change */
  change(change) {
    if (!this.raster || !this.isActive) return;
    this.stage.shown = "mask";
    this.raster.begin();
    const part = change(this.raster);
    if (this.raster.commit()) this.onChange();
    this.update();
    if (part) this.stage.drawMask();
  }

  undo() {
    this.after(this.raster?.undo());
  }

  redo() {
    this.after(this.raster?.redo());
  }

  /** @param {Rect | null | undefined} part */
  after(part) {
    if (!part) return;
    this.stage.drawMask(part);
    this.update();
    this.onChange();
  }

  /** @param {tools.Point} to */
  stroke(to) {
    const raster = /** @type {Raster} */ (this.raster);
    raster.begin();
    const part = tools.stroke(raster, this.last ?? to, to, this.radius, this.tool === "brush" ? 1 : 0);
    this.last = to;
    this.stage.drawMask(part);
    this.onChange();
  }

  endStroke() {
    this.last = null;
    if (this.raster?.commit()) this.onChange();
    this.update();
  }

  /** Use the tool at a place. @param {tools.Point} at */
  press(at) {
    if (!this.raster || !this.isActive) return;
    const x = Math.floor(at.x), y = Math.floor(at.y);
    if (this.stage.shown !== "mask") this.toggle(/** @type {any} */ (this.stage.shown));
    if (this.tool === "brush" || this.tool === "eraser") this.stroke(at);
    else if (this.tool === "fill") this.change((raster) => tools.fill(raster, x, y, 1));
    else if (this.tool === "remove") this.change((raster) => tools.fill(raster, x, y, 0));
    else if (this.tool === "polygon") {
      this.stage.corners.push(at);
      this.stage.drawMask();
    }
  }

  closePolygon() {
    const corners = this.stage.corners;
    this.stage.corners = [];
    if (corners.length > 2) this.change((raster) => tools.polygon(raster, corners, 1));
    this.stage.drawMask();
  }

  cancelPolygon() {
    if (!this.stage.corners.length) return;
    this.stage.corners = [];
    this.stage.drawMask();
  }

  // ---- pointer and keys -------------------------------------------------------------------------

  listen() {
    const root = this.stage.root;
    root.addEventListener("pointerdown", (event) => this.onDown(event));
    root.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      root.addEventListener(name, (event) => this.onUp(/** @type {PointerEvent} */ (event)));
    }
    root.addEventListener("pointerleave", () => this.stage.point(null, 0));
    root.addEventListener("dblclick", () => this.tool === "polygon" && this.closePolygon());
    root.addEventListener("contextmenu", (event) => event.preventDefault());
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = root.getBoundingClientRect();
      this.stage.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)),
        { x: event.clientX - box.left, y: event.clientY - box.top });
    }, { passive: false });
    root.addEventListener("keydown", (event) => this.onStageKey(event));
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (!this.raster) return;
    this.stage.root.focus({ preventScroll: true });
    this.stage.root.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size > 1) {
      // A second finger: what the first began to draw is taken back.
      if (this.last) {
        this.endStroke();
        this.undo();
      }
      return;
    }
    if (this.isPanning(event)) return;
    this.at = this.stage.locate(event.clientX, event.clientY);
    this.press(this.at);
  }

  /** @param {PointerEvent} event */
  isPanning(event) {
    return !this.isActive || this.tool === "pan" || (event.buttons & 6) !== 0;
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.raster) return;
    const before = this.pointers.get(event.pointerId), now = { x: event.clientX, y: event.clientY };
    if (before && this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const box = this.stage.root.getBoundingClientRect();
      const factor = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      this.stage.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      this.stage.zoom(factor, { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top });
    } else if (before && this.isPanning(event)) {
      this.stage.pan(now.x - before.x, now.y - before.y);
    } else if (this.last) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) this.stroke(this.stage.locate(step.clientX, step.clientY));
    }
    if (before) this.pointers.set(event.pointerId, now);
    if (this.isActive && event.pointerType !== "touch") {
      this.at = this.stage.locate(now.x, now.y);
      this.stage.point(this.tool === "pan" ? null : this.at, this.reach());
    }
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    this.pointers.delete(event.pointerId);
    if (this.last) this.endStroke();
  }

  /** Keys of the stage itself: the tool without a pointer. @param {KeyboardEvent} event */
  onStageKey(event) {
    if (!this.raster || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (event.shiftKey ? 40 : 8) / this.stage.scale;
    /** @type {Record<string, [number, number]>} */
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const arrow = arrows[event.key];
    if (arrow) {
      if (!this.isActive || this.tool === "pan") {
        this.stage.pan(-arrow[0] * this.stage.scale, -arrow[1] * this.stage.scale);
      } else {
        const at = this.at ?? { x: this.raster.width / 2, y: this.raster.height / 2 };
        this.at = { x: at.x + arrow[0], y: at.y + arrow[1] };
        this.stage.point(this.at, this.reach());
      }
    } else if (event.key === " " && this.at) {
      this.press(this.at);
      if (this.last) this.endStroke();
    } else if (event.key === "Enter" && this.tool === "polygon") {
      this.closePolygon();
    } else return;
    event.preventDefault();
  }

  /** Keys of the whole page. @param {KeyboardEvent} event @returns {boolean} whether it was one */
  onKey(event) {
    if (!this.raster || isTyping(event.target) || event.altKey) return false;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (!this.isActive || !["z", "y"].includes(key)) return false;
      if (key === "y" || event.shiftKey) this.redo();
      else this.undo();
      return true;
    }
    /** @type {Record<string, () => void>} */
    const looks = {
      "+": () => this.stage.zoom(1.5), "=": () => this.stage.zoom(1.5), "-": () => this.stage.zoom(1 / 1.5),
      0: () => this.stage.fit(), o: () => this.toggleFilled(), x: () => this.toggle("before"), h: () => this.toggle("none"),
    };
    /** @type {Record<string, () => void>} */
    const draws = {
      "[": () => this.setRadius(this.radius / 1.2), "]": () => this.setRadius(this.radius * 1.2),
      g: () => this.change(tools.grow), s: () => this.change(tools.shrink),
      m: () => this.change(tools.smooth), l: () => this.change(tools.keepLargest),
      escape: () => this.cancelPolygon(),
    };
    for (const [tool, own] of TOOLS) draws[own] = () => this.choose(tool);
    const act = looks[key] ?? (this.isActive ? draws[key] : undefined);
    act?.();
    return act !== undefined;
  }
}
