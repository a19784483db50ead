// The first view: drop photographs, see and correct the outline, take it home.

import * as api from "./api.js";
import { Editor } from "./editor.js";
import { download, element, fill, gauge, toast } from "./elements.js";
import { everything, fileOf, overlayOf } from "./files.js";
import { Raster } from "./raster.js";
import { TEXTS } from "./texts.js";
import { runsAt } from "./threshold.js";

/**
 * One photograph in this view.
 * @typedef {{name: string, file: File, state: "working" | "ready" | "refused" | "broken",
 *   reason: string, wishes: api.Wishes, result: api.Prediction | null, bitmap: ImageBitmap | null,
 *   raster: Raster | null, isEdited: boolean, measures: Record<string, any>, chip: HTMLElement}} Item
 */

const T = TEXTS.try;
const TYPES = "image/*,.tif,.tiff,.bmp,.webp";

export class TryView {
  /** @param {api.Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Item[]} */
    this.items = [];
    /** @type {Item | null} */
    this.item = null;
    this.editor = new Editor(() => this.onEdit());
    this.panel = element("aside", { class: "panel", "aria-label": T.title });
    this.strip = element("div", { class: "strip", role: "group", "aria-label": T.photographs });
    this.work = element("div", { class: "workspace", hidden: true }, this.strip, this.editor.root, this.panel);
    this.welcome = this.makeWelcome();
    this.root = element("section", { class: "view try" }, this.welcome, this.work);
    this.measuring = 0;
    for (const name of ["dragover", "drop", "dragleave"]) {
      this.root.addEventListener(name, (event) => this.onDrag(/** @type {DragEvent} */ (event)));
    }
  }

  /** @param {string} label @param {string} kind @param {boolean} isCamera */
  makeChooser(label, kind, isCamera = false) {
    const input = element("input", {
      type: "file", accept: isCamera ? "image/*" : TYPES, multiple: !isCamera,
      capture: isCamera && "environment", class: "file",
      onchange: () => {
        this.add([...(input.files ?? [])]);
        input.value = "";
      },
    });
    return element("label", { class: `button ${kind}` }, label, input);
  }

  makeWelcome() {
    if (!this.session.model) return element("div", { class: "empty" }, element("h1", {}, T.title), element("p", {}, T.noModel));
    return element("div", { class: "drop" },
      element("h1", {}, T.lead), element("p", { class: "muted" }, T.or),
      element("p", { class: "row" }, this.makeChooser(T.choose, "primary"), this.makeChooser(T.camera, "camera", true)),
      element("p", { class: "muted small" }, TEXTS.noDiagnosis));
  }

  /** @param {DragEvent} event */
  onDrag(event) {
    if (!this.session.model || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.root.classList.toggle("dropping", event.type === "dragover");
    if (event.type === "drop") this.add([...event.dataTransfer.files]);
  }

  // ---- photographs ------------------------------------------------------------------------------

  /** @param {File[]} files */
  async add(files) {
    const added = [];
    for (const file of files) {
      const name = this.nameOf(file);
      /** @type {Item} */
      const item = {
        name, file, state: "working", reason: "", wishes: { name }, result: null, bitmap: null,
        raster: null, isEdited: false, measures: {}, chip: element("button", { type: "button", class: "chip" }),
      };
      item.chip.addEventListener("click", () => this.select(item));
      this.items.push(item);
      added.push(item);
    }
    if (!added.length) return;
    this.welcome.hidden = true;
    this.work.hidden = false;
    this.drawStrip();
    this.select(added[0]);
    for (const item of added) await this.predict(item);
  }

  /** A name that no other photograph here has. @param {File} file */
  nameOf(file) {
    const stem = file.name.replace(/\.[^.]*$/, "") || "photograph";
    let name = stem;
    for (let number = 2; this.items.some((item) => item.name === name); number++) name = `${stem}-${number}`;
    return name;
  }

  /** @param {Item} item */
  async predict(item) {
    if (item.state !== "ready") item.state = "working";
    this.refresh(item);
    const isNew = !item.raster;
    try {
      const found = api.predict(item.file, item.wishes);
      item.bitmap ??= await api.decodePicture(item.file).catch(() => null);
      this.refresh(item);
      item.result = await found;
      item.bitmap ??= await api.decodePicture(item.file);
      const { width, height, runs } = item.result;
      item.raster ??= new Raster(width, height);
      item.raster.load(api.decode(runs).buffer);
      item.measures = item.result;
      item.isEdited = false;
      item.state = item.result.refusal && !item.wishes.force ? "refused" : "ready";
      item.reason = item.result.refusal ?? "";
    } catch (error) {
      item.state = "broken";
      item.reason = /** @type {Error} */ (error).message;
    }
    this.refresh(item);
    if (item !== this.item) return;
    if (isNew) this.open();
    else this.editor.reset();
  }

  /** @param {Item} item */
  select(item) {
    this.item = item;
    this.open();
    for (const other of this.items) this.refresh(other);
  }

  open() {
    const { bitmap, raster, state } = /** @type {Item} */ (this.item);
    this.editor.setActive(state === "ready");
    if (!bitmap) this.editor.close();
    else if (raster && state === "ready") this.editor.open(bitmap, raster);
    else {
      this.editor.open(bitmap, new Raster(bitmap.width, bitmap.height));
      this.editor.setActive(false);
    }
  }

  /** @param {Item} item */
  remove(item) {
    const index = this.items.indexOf(item);
    this.items.splice(index, 1);
    item.bitmap?.close();
    this.drawStrip();
    if (this.items.length) {
      this.select(this.items[Math.min(index, this.items.length - 1)]);
      return;
    }
    this.item = null;
    this.editor.close();
    this.welcome.hidden = false;
    this.work.hidden = true;
  }

  onEdit() {
    const item = this.item;
    if (!item) return;
    const isFirst = !item.isEdited;
    item.isEdited = true;
    if (isFirst) this.drawPanel();
    clearTimeout(this.measuring);
    this.measuring = window.setTimeout(async () => {
      const { raster } = item;
      if (!raster || !item.isEdited) return;
      item.measures = await api.measure(raster.runs(), { width: raster.width, height: raster.height });
      if (item === this.item) this.drawMeasures();
    }, 500);
  }

  // ---- what stands beside -----------------------------------------------------------------------

  drawStrip() {
    fill(this.strip, ...this.items.map((item) => item.chip), this.makeChooser(T.leadMore, "add"));
  }

  /** @param {Item} item */
  refresh(item) {
    item.chip.className = `chip ${item.state}`;
    item.chip.setAttribute("aria-pressed", String(item === this.item));
    item.chip.title = item.name;
    const picture = element("canvas", { width: 88, height: 66 });
    if (item.bitmap) {
      const { width, height } = item.bitmap, scale = Math.max(88 / width, 66 / height);
      picture.getContext("2d")?.drawImage(item.bitmap, (88 - width * scale) / 2, (66 - height * scale) / 2,
        width * scale, height * scale);
    }
    const marks = { working: "", ready: item.result?.review ? "!" : "", refused: "✕", broken: "✕" };
    fill(item.chip, picture, element("span", {}, item.name), marks[item.state] && element("b", {}, marks[item.state]));
    if (item === this.item) this.drawPanel();
  }

  drawPanel() {
    const item = this.item;
    if (!item) return;
    const title = element("h1", { class: "name", title: item.name }, item.name);
    const remove = element("button", { type: "button", class: "quiet", onclick: () => this.remove(item) }, T.remove);
    if (item.state === "working") fill(this.panel, title, element("p", { class: "working" }, T.working));
    else if (item.state === "broken") {
      fill(this.panel, title, element("div", { class: "notice bad" }, element("h2", {}, T.cannotRead), element("p", {}, item.reason)), remove);
    } else if (item.state === "refused") {
      fill(this.panel, title, element("div", { class: "notice" }, element("h2", {}, T.refused), element("p", {}, sentence(item.reason)),
        element("button", { type: "button", class: "primary", onclick: () => this.force(item) }, T.anyway)), remove);
    } else {
      this.measures = element("dl", { class: "measures" });
      fill(this.panel, title, this.makeQuality(item), this.makeThreshold(item), element("h2", {}, T.measures), this.measures,
        this.makeAttributes(item), this.makeDownloads(item), remove);
      this.drawMeasures();
    }
  }

  /** @param {Item} item */
  force(item) {
    item.wishes.force = true;
    item.state = "ready";
    this.open();
    this.refresh(item);
  }

  /** @param {Item} item */
  makeQuality(item) {
    const { expected_jaccard: expected, review } = /** @type {api.Prediction} */ (item.result);
    if (item.isEdited) {
      return element("div", { class: "block" }, element("p", { class: "pill corrected" }, T.corrected),
        element("button", { type: "button", class: "quiet", onclick: () => this.predict(item) }, T.backToModel));
    }
    if (expected === null) return null;
    return element("div", { class: "block" }, element("h2", { title: T.qualityHint }, T.quality),
      gauge(expected, Boolean(review), T.quality), element("p", { class: "small muted" }, review ? T.look : T.good));
  }

  /** @param {Item} item */
  makeThreshold(item) {
    if (item.isEdited) return null;
    const { map, width, height, threshold } = /** @type {api.Prediction} */ (item.result);
    const shown = element("output", {}, threshold.toFixed(2));
    const slider = element("input", {
      type: "range", id: "threshold", min: 0.02, max: 0.98, step: 0.01, value: threshold,
      oninput: () => {
        fill(shown, Number(slider.value).toFixed(2));
        item.raster?.load(runsAt(map, width, height, Number(slider.value)));
        this.editor.stage.drawMask();
      },
      onchange: () => {
        item.wishes.threshold = Number(slider.value);
        this.predict(item).then(() => document.getElementById("threshold")?.focus());
      },
    });
    const reset = element("button", {
      type: "button", class: "quiet", hidden: item.wishes.threshold === undefined,
      onclick: () => {
        delete item.wishes.threshold;
        this.predict(item);
      },
    }, T.reset);
    return element("div", { class: "block" }, element("div", { class: "row spread" },
      element("label", { for: "threshold", class: "h2" }, T.threshold), shown), slider,
      element("div", { class: "row spread" }, element("p", { class: "small muted" }, T.thresholdHint), reset));
  }

  drawMeasures() {
    const { measures } = /** @type {Item} */ (this.item);
    if (!this.measures) return;
    fill(this.measures, ...Object.entries(TEXTS.measures).flatMap(([key, label]) =>
      [element("dt", {}, label), element("dd", {}, format(key, measures[key]))]));
  }

  /** @param {Item} item */
  makeAttributes(item) {
    const found = /** @type {api.Prediction} */ (item.result).attributes;
    if (item.isEdited) return null;
    if (!item.wishes.attributes) {
      return element("button", { type: "button", class: "quiet", onclick: () => {
        item.wishes.attributes = true;
        this.predict(item);
      } }, T.findAttributes);
    }
    return element("div", { class: "block" }, element("h2", {}, T.attributes),
      ...found.map(({ name, presence }) => element("div", { class: "attribute" },
        element("span", {}, name.replaceAll("_", " ")), gauge(presence, false, name.replaceAll("_", " ")))),
      element("p", { class: "small muted" }, T.experimental));
  }

  /** @param {Item} item */
  makeDownloads(item) {
    /** @param {string} label @param {() => Promise<[string, Blob]>} make @param {string} kind */
    const button = (label, make, kind = "") => element("button", {
      type: "button", class: kind,
      onclick: async () => {
        try {
          const [name, content] = await make();
          download(content, name);
        } catch (error) {
          toast(TEXTS.failedWith(/** @type {Error} */ (error).message));
        }
      },
    }, label);
    const overlay = () => overlayOf(item, this.editor.stage);
    return element("div", { class: "block downloads" }, element("h2", {}, T.download), element("div", { class: "grid" },
      button(T.mask, () => fileOf(item, "mask"), "primary"), button(T.overlay, overlay),
      button(T.table, () => fileOf(item, "table")), button(T.coco, () => fileOf(item, "coco"))),
      button(T.all, () => everything(this.items.filter((other) => other.state === "ready"), this.editor.stage)));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    return !this.work.hidden && this.editor.onKey(event);
  }
}

/** @param {string} key @param {any} value */
function format(key, value) {
  if (value === null || value === undefined) return "–";
  if (key === "area_share") return `${(100 * value).toFixed(1)} %`;
  if (key === "num_regions") return String(value);
  if (key === "circularity" || key === "asymmetry") return value.toFixed(2);
  return `${Math.round(value).toLocaleString("en")} ${TEXTS.pixels}`;
}

/** @param {string} reason */
const sentence = (reason) => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
