// The files that the first view gives away.

import { maskAs, MEDIA, predictAs } from "./api.js";
import { zip } from "./zip.js";

/**
 * @typedef {import("./try.js").Item} Item
 * @typedef {import("./stage.js").Stage} Stage
 */

const OVERLAY_SIDE = 1024;
const NAMES = { mask: "_segmentation.png", overlay: "_overlay.jpg", table: ".csv", coco: ".coco.json" };

/**
 * The server makes it: of the photograph as `dermseg predict` does, or of the mask that was drawn.
 * @param {Item} item @param {"mask" | "table" | "coco"} kind @returns {Promise<[string, Blob]>}
 */
export async function fileOf(item, kind) {
  return [item.name + NAMES[kind], await contentOf(item, kind)];
}

/** @param {Item} item @param {"mask" | "table" | "coco"} kind */
async function contentOf({ file, raster, isEdited, wishes, name }, kind) {
  if (!isEdited || !raster) return predictAs(file, MEDIA[kind], { ...wishes, attributes: false });
  return maskAs(raster.runs(), MEDIA[kind], { width: raster.width, height: raster.height, name });
}

/** @param {Item} item @param {Stage} stage shows the item @returns {Promise<[string, Blob]>} */
export async function overlayOf(item, stage) {
  const { file, isEdited, wishes, bitmap, raster } = item;
  const content = isEdited && bitmap && raster
    ? await stage.picture(OVERLAY_SIDE, bitmap, raster)
    : await predictAs(file, MEDIA.overlay, wishes);
  return [item.name + NAMES.overlay, content];
}

/** @param {Item[]} items @param {Stage} stage @returns {Promise<[string, Blob]>} */
export async function everything(items, stage) {
  /** @type {[string, Blob][]} */
  const files = [];
  const tables = [], cocos = [];
  for (const item of items) {
    files.push(await fileOf(item, "mask"), await overlayOf(item, stage));
    tables.push(await (await contentOf(item, "table")).text());
    cocos.push(JSON.parse(await (await contentOf(item, "coco")).text()));
  }
  files.push(["predictions.csv", new Blob([joinTables(tables)])]);
  files.push(["predictions.coco.json", new Blob([JSON.stringify(joinCocos(cocos))])]);
  return ["dermseg.zip", await zip(files)];
}

/** One header, and all rows. @param {string[]} tables */
export function joinTables(tables) {
  return tables.map((table, index) => (index ? table.slice(table.indexOf("\n") + 1) : table)).join("");
}

/** Give images and annotations new numbers. @param {any[]} cocos */
export function joinCocos(cocos) {
  const [first] = cocos;
  /** @type {any[]} */
  const images = [], annotations = [];
  for (const coco of cocos) {
    const number = images.length + 1;
    images.push({ ...coco.images[0], id: number });
    for (const one of coco.annotations) annotations.push({ ...one, id: annotations.length + 1, image_id: number });
  }
  return { categories: first.categories, images, annotations };
}
