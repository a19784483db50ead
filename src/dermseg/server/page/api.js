// All that the page asks of the server.

import { TEXTS } from "./texts.js";

/**
 * @typedef {{reviewer: string, role: string, csrf: string, version: string, model: string | null,
 *   threshold: number | null, review_below: number | null,
 *   project: string | null}} Session
 * @typedef {{width: number, height: number, values: string, box: number[] | null}} ProbabilityMap
 * @typedef {Record<string, any> & {width: number, height: number, runs: string, map: ProbabilityMap,
 *   expected_jaccard: number | null, review: boolean | null, refusal: string | null,
 *   threshold: number, seconds: number,
 *   attributes: {name: string, presence: number, runs: string}[]}} Prediction
 * @typedef {{id: string, name: string, size: [number, number] | null, state: string,
 *   revision: number, expected_jaccard: number | null, refusal: string | null,
 *   error: string | null, attributes: string[], leased_to: string | null}} Image
 * @typedef {{number: number, created: number, reviewer: string | null, action: string,
 *   state: string, source: string | null, model: string | null, comment: string,
 *   has_mask: boolean}} Revision
 * @typedef {Image & {revisions: Revision[], draft: {base: number, updated: number} | null}} Detail
 * @typedef {{name: string, progress: Record<string, number>, reviewers: string[],
 *   attributes: string[]}} Overview
 * @typedef {{state?: string[], reviewer?: string, not_reviewer?: string, most_expected?: number,
 *   attribute?: string, text?: string, order?: string}} Filters
 * @typedef {{pairs: {reviewers: string[], num_images: number, dice: number, low: number | null,
 *   high: number | null}[],
 *   images: {image_id: string, name: string, reviewers: string[], dice: number}[]}} Agreement
 */

export const MEDIA = {
  mask: "image/png", overlay: "image/jpeg", table: "text/csv", coco: "application/vnd.coco+json",
};

const RUNS = "application/octet-stream";

/** What the server refused, in its own words. */
export class ApiError extends Error {
  /** @param {number} status @param {string} reason */
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

let csrf = "";

/**
 * @param {string} method @param {string} path
 * @param {{query?: Record<string, any>, json?: any, body?: BodyInit, accept?: string,
 *   keepalive?: boolean}} [options]
 * @returns {Promise<Response>}
 */
async function ask(method, path, { query = {}, json, body, accept = "application/json", keepalive } = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(key, String(one));
  }
  /** @type {Record<string, string>} */
  const headers = { accept, "x-csrf-token": csrf };
  if (json !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(`${path}?${parameters}`, {
      method, headers, body: json === undefined ? body : JSON.stringify(json), keepalive,
    });
  } catch {
    throw new ApiError(0, TEXTS.failed);
  }
  if (response.ok) return response;
  if (response.status === 401 && path !== "/v1/login") location.assign("/");
  const answer = await response.json().catch(() => ({}));
  throw new ApiError(response.status, answer.error ?? response.statusText);
}

/** @param {string} method @param {string} path @param {any} [options] */
const json = async (method, path, options) => (await ask(method, path, options)).json();

/** @param {string} text Base64 @returns {Uint8Array<ArrayBuffer>} */
export function decode(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @returns {Promise<Session>} */
export async function getSession() {
  const session = await json("GET", "/v1/session");
  csrf = session.csrf;
  return session;
}

export const logOut = () => ask("POST", "/v1/logout");

// ---- one photograph -----------------------------------------------------------------------------

/**
 * @typedef {{threshold?: number, attributes?: boolean, force?: boolean, name?: string}} Wishes
 * @param {Blob} file @param {Wishes} wishes @returns {Promise<Prediction>}
 */
export const predict = (file, wishes) =>
  json("POST", "/v1/predictions", { query: { ...wishes, details: true }, body: file });

/** @param {Blob} file @param {string} accept @param {Wishes} wishes */
export const predictAs = async (file, accept, wishes) =>
  (await ask("POST", "/v1/predictions", { query: wishes, body: file, accept })).blob();

/**
 * A mask that was drawn, as a file.
 * @param {ArrayBuffer} runs @param {string} accept
 * @param {{width: number, height: number, name: string}} query
 */
export const maskAs = async (runs, accept, query) =>
  (await ask("POST", "/v1/masks", { query, body: runs, accept })).blob();

/** @param {ArrayBuffer} runs @param {{width: number, height: number}} query */
export const measure = (runs, query) => json("POST", "/v1/masks", { query, body: runs });

/**
 * A photograph upright and decoded: by the browser if it is a JPEG, else by the server.
 * @param {Blob} file @returns {Promise<ImageBitmap>}
 */
export async function decodePicture(file) {
  const start = new Uint8Array(await file.slice(0, 3).arrayBuffer());
  const isJpeg = start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff;
  if (!isJpeg) file = await (await ask("POST", "/v1/pictures", { body: file, accept: "image/jpeg" })).blob();
  return createImageBitmap(file, { imageOrientation: "from-image" });
}

// ---- a project ----------------------------------------------------------------------------------

/** @returns {Promise<Overview>} */
export const getOverview = () => json("GET", "/v1/project");

/** @param {Filters} filters @param {number} start @returns {Promise<{images: Image[], total: number}>} */
export const listImages = (filters, start) =>
  json("GET", "/v1/images", { query: { ...filters, start, number: 60 } });

/** @param {Filters} filters @param {string | null} skip @returns {Promise<Detail | null>} */
export const takeNext = ({ order, ...query }, skip) =>
  json("POST", "/v1/queue/next", { query, json: { skip } });

/** @param {string} id @returns {Promise<Detail>} */
export const take = (id) => json("POST", `/v1/images/${id}/lease`);

/** @param {string} id */
export const keepLease = (id) => ask("PUT", `/v1/images/${id}/lease`);

export const giveBack = () => ask("DELETE", "/v1/lease", { keepalive: true });

/** @param {string} id @returns {Promise<Detail>} */
export const getImage = (id) => json("GET", `/v1/images/${id}`);

/** @param {Image} image @param {number} side */
export const thumbnail = (image, side) =>
  `/v1/images/${image.id}/picture?side=${side}&revision=${image.revision}`;

/** @param {string} id */
export async function getPicture(id) {
  const response = await ask("GET", `/v1/images/${id}/picture`, { accept: "image/jpeg" });
  return createImageBitmap(await response.blob(), { imageOrientation: "from-image" });
}

/** @param {string} id @param {number} revision */
export const getMask = async (id, revision) =>
  (await ask("GET", `/v1/images/${id}/mask`, { query: { revision }, accept: RUNS })).arrayBuffer();

/** @param {string} id */
export const getDraft = async (id) =>
  (await ask("GET", `/v1/images/${id}/draft`, { accept: RUNS })).arrayBuffer();

/** @param {string} id @param {number} base @param {ArrayBuffer} runs */
export const saveDraft = (id, base, runs) =>
  ask("PUT", `/v1/images/${id}/draft`, {
    // A page that is being closed may send no more than this on its way out.
    query: { base }, body: runs, keepalive: runs.byteLength < 60_000,
  });

/** @param {string} id */
export const discardDraft = (id) => ask("DELETE", `/v1/images/${id}/draft`);

/** @param {string} id @param {string} action @param {string} comment @returns {Promise<Revision>} */
export const decide = (id, action, comment) =>
  json("POST", `/v1/images/${id}/decisions`, { json: { action, comment } });

/** @param {string} id @param {number} number @returns {Promise<Revision>} */
export const restore = (id, number) => json("POST", `/v1/images/${id}/restore`, { json: { number } });

/** @returns {Promise<Agreement>} */
export const getAgreement = () => json("GET", "/v1/agreement");
