// The contact sheet: all photographs of a project, small, with their outlines.

import * as api from "./api.js";
import { element, fill } from "./elements.js";
import { makeFilters } from "./filters.js";
import { TEXTS } from "./texts.js";

const T = TEXTS.sheet;
const SIDE = 320;

export class SheetView {
  /** @param {api.Session} session */
  constructor(session) {
    this.session = session;
    /** @type {api.Filters} */
    this.filters = {};
    this.head = element("div", { class: "head" });
    this.grid = element("ul", { class: "sheet" });
    this.more = element("button", { type: "button", class: "more", hidden: true, onclick: () => this.load() }, T.more);
    this.root = element("section", { class: "view" }, this.head, this.grid, this.more);
  }

  async enter() {
    const overview = await api.getOverview();
    this.count = element("p", { class: "muted" });
    fill(this.head, element("div", { class: "row spread" }, element("h1", {}, overview.name), this.count),
      makeFilters(this.filters, overview, this.session.reviewer, true, () => this.restart()));
    await this.restart();
  }

  async restart() {
    fill(this.grid);
    await this.load();
  }

  async load() {
    const { images, total } = await api.listImages(this.filters, this.grid.children.length);
    this.grid.append(...images.map((image) => this.makeCard(image)));
    this.more.hidden = this.grid.children.length >= total;
    fill(/** @type {HTMLElement} */ (this.count), total ? T.found(total) : T.none);
  }

  /** @param {api.Image} image */
  makeCard(image) {
    const expected = image.expected_jaccard;
    return element("li", {}, element("a", { href: `#/review/${image.id}`, class: image.state },
      image.error ? element("span", { class: "broken" }, image.error)
        : element("img", { src: api.thumbnail(image, SIDE), loading: "lazy", alt: "", width: 160, height: 120 }),
      element("span", { class: "caption" }, element("span", { class: "file-name", title: image.name }, image.name),
        element("span", { class: `pill ${image.state}` }, TEXTS.states[/** @type {keyof typeof TEXTS.states} */ (image.state)])),
      element("span", { class: "caption small muted" }, expected === null ? "" : `≈ ${expected.toFixed(2)}`,
        image.leased_to ? element("span", { class: "pill" }, T.openAt(image.leased_to)) : "")));
  }

  leave() {}

  onKey() {
    return false;
  }
}
