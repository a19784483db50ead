// The bar of tools: a button for each, with its key.

import { element, icon } from "./elements.js";
import { TEXTS } from "./texts.js";
import * as tools from "./tools.js";

/** @typedef {"brush" | "eraser" | "polygon" | "fill" | "remove" | "pan"} Tool */

const T = TEXTS.tools;

/** @type {[Tool, string, string][]} tool, key, drawing */
export const TOOLS = [
  ["brush", "b", "M20 4c-5 2-9 6-11 9l2 2c3-2 7-6 9-11ZM8 14c-3 0-2 4-5 5 3 1.5 7.5.5 7-3.5"],
  ["eraser", "e", "M9 19H5l-2-2 10-11 6 6-7 7H9Zm-1-7 6 6M13 19h8"],
  ["polygon", "p", "M5 8l8-4 7 6-3 9-10-1ZM5 8h.01M13 4h.01M20 10h.01M17 19h.01M7 18h.01"],
  ["fill", "f", "M11 3 4 11l7 7 7-7-7-8ZM4 11h14M20 15c1.5 2 1.5 4 0 4s-1.5-2 0-4Z"],
  ["remove", "d", "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6"],
  ["pan", "v", "M12 3v18M3 12h18M12 3 9.5 5.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5"],
];

/**
 * @param {import("./editor.js").Editor} editor
 * @returns {{bar: HTMLElement, buttons: Record<string, HTMLButtonElement>, sizer: HTMLInputElement}}
 */
export function makeBar(editor) {
  /** @type {Record<string, HTMLButtonElement>} */
  const buttons = {};
  /** @param {string} name @param {string} label @param {string} key @param {string} path @param {() => void} act */
  const button = (name, label, key, path, act) => {
    const made = element("button", {
      type: "button", class: "tool", title: key ? `${label} (${key})` : label, "aria-label": label, onclick: act,
    }, icon(path));
    buttons[name] = made;
    return made;
  };
  const group = (/** @type {HTMLElement[]} */ ...children) => element("div", { class: "group" }, ...children);
  const sizer = element("input", {
    type: "range", min: 1, max: 100, "aria-label": T.size,
    oninput: () => editor.setRadius(fromSlider(Number(sizer.value))),
  });
  const fader = element("input", {
    type: "range", min: 0, max: 100, value: 35, "aria-label": T.opacity,
    oninput: () => {
      editor.stage.opacity = Number(fader.value) / 100;
      editor.stage.drawMask();
    },
  });
  /** @param {Parameters<import("./editor.js").Editor["change"]>[0]} change */
  const whole = (change) => () => editor.change(change);
  const bar = element("div", { class: "bar", role: "toolbar", "aria-label": T.title },
    group(...TOOLS.map(([tool, key, path]) =>
      button(tool, T[tool], key.toUpperCase(), path, () => editor.choose(tool)))),
    group(element("label", { class: "slider", title: `${T.size} ([ ])` }, icon("M12 12m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0M12 12m-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0"), sizer)),
    group(
      button("undo", T.undo, "Ctrl Z", "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-4", () => editor.undo()),
      button("redo", T.redo, "Ctrl Y", "m16 5 4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h4", () => editor.redo())),
    group(
      button("grow", T.grow, "G", "M12 12m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0M12 2v3M12 19v3M2 12h3M19 12h3", whole(tools.grow)),
      button("shrink", T.shrink, "S", "M12 12m-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0M12 8v8M8 12h8", whole(tools.shrink)),
      button("smooth", T.smooth, "M", "M3 15c3-9 6-9 9-3s6 6 9-3", whole(tools.smooth)),
      button("largest", T.largest, "L", "M10 13m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M19 5l-3 3M16 5l3 3", whole(tools.keepLargest)),
      button("clear", T.clear, "", "M6 6l12 12M18 6 6 18", whole(tools.clear))),
    group(
      button("filled", T.filled, "O", "M12 12m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0M12 4v16M12 8h6M12 12h8M12 16h6", () => editor.toggleFilled()),
      button("before", T.before, "X", "M12 3v18M9 6H4v12h5M15 6h5v12h-5", () => editor.toggle("before")),
      button("hide", T.hide, "H", "M3 12c4-7 14-7 18 0-4 7-14 7-18 0ZM12 12m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0", () => editor.toggle("none")),
      element("label", { class: "slider", title: T.opacity }, icon("M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11ZM12 3v17"), fader)),
    group(
      button("in", T.zoomIn, "+", "M12 5v14M5 12h14", () => editor.stage.zoom(1.5)),
      button("out", T.zoomOut, "−", "M5 12h14", () => editor.stage.zoom(1 / 1.5)),
      button("fit", T.fit, "0", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5", () => editor.stage.fit())));
  return { bar, buttons, sizer };
}

// The slider goes from 1 to 400 pixels, finer where brushes are small.
/** @param {number} value */
export const fromSlider = (value) => Math.pow(400, (value - 1) / 99);
/** @param {number} radius */
export const toSlider = (radius) => 1 + (99 * Math.log(Math.max(1, radius))) / Math.log(400);

