// How far reviewers agree.

import * as api from "./api.js";
import { element, fill } from "./elements.js";
import { TEXTS } from "./texts.js";

const T = TEXTS.agreement;

export class AgreementView {
  constructor() {
    this.root = element("section", { class: "view page" });
  }

  async enter() {
    const { pairs, images } = await api.getAgreement();
    fill(this.root, element("h1", {}, T.title), element("p", { class: "muted" }, T.lead),
      ...(pairs.length ? [this.makePairs(pairs), element("h2", {}, T.worst), this.makeWorst(images)]
        : [element("p", { class: "notice plain" }, T.none)]));
  }

  /** @param {api.Agreement["pairs"]} pairs */
  makePairs(pairs) {
    return element("table", {}, element("thead", {}, element("tr", {},
      ...[T.pair, T.images, T.dice, T.interval].map((title) => element("th", { scope: "col" }, title)))),
      element("tbody", {}, ...pairs.map((pair) => {
        const span = element("span", { class: "span" }), point = element("span", { class: "point" });
        const low = pair.low ?? pair.dice, high = pair.high ?? pair.dice;
        span.style.left = `${100 * low}%`;
        span.style.width = `${100 * (high - low)}%`;
        point.style.left = `${100 * pair.dice}%`;
        return element("tr", {}, element("td", {}, pair.reviewers.join(" & ")), element("td", {}, String(pair.num_images)),
          element("td", {}, element("strong", {}, pair.dice.toFixed(3))),
          element("td", {}, element("span", { class: "axis" }, span, point),
            pair.low === null || pair.high === null ? "–" : `${pair.low.toFixed(3)} – ${pair.high.toFixed(3)}`));
      })));
  }

  /** @param {api.Agreement["images"]} images */
  makeWorst(images) {
    return element("ol", { class: "worst" }, ...images.slice(0, 20).map((image) => element("li", {},
      element("a", { href: `#/review/${image.image_id}` }, image.name),
      element("span", { class: "muted" }, image.reviewers.join(" & ")), element("strong", {}, image.dice.toFixed(3)))));
  }

  leave() {}

  onKey() {
    return false;
  }
}
