// Which photographs are wanted: one form, for the queue and for the contact sheet.

import { element } from "./elements.js";
import { TEXTS } from "./texts.js";

/**
 * @typedef {import("./api.js").Filters} Filters
 * @typedef {import("./api.js").Overview} Overview
 */

const T = TEXTS.filters;

/**
 * @param {Filters} filters changed in place
 * @param {Overview} overview @param {string} reviewer who is logged in
 * @param {boolean} hasOrder @param {() => void} onChange
 * @returns {HTMLElement}
 */
export function makeFilters(filters, overview, reviewer, hasOrder, onChange) {
  /** @param {string} label @param {[string, string][]} options @param {string} value @param {(value: string) => void} set */
  const choice = (label, options, value, set) => {
    const select = element("select", { onchange: () => {
      set(select.value);
      onChange();
    } }, ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
    return element("label", { class: "field" }, label, select);
  };
  /** @param {readonly string[]} names @returns {[string, string][]} */
  const orAny = (names) => [["", T.any], ...names.map((name) => /** @type {[string, string]} */ ([name, name.replaceAll("_", " ")]))];
  const text = element("input", { type: "search", value: filters.text ?? "", onchange: () => {
    filters.text = text.value || undefined;
    onChange();
  } });
  const limits = ["0.95", "0.9", "0.85", "0.8", "0.7", "0.5"];
  const second = element("input", { type: "checkbox", checked: Boolean(filters.not_reviewer), onchange: () => {
    filters.not_reviewer = second.checked ? reviewer : undefined;
    filters.state = second.checked ? ["accepted", "corrected"] : undefined;
    onChange();
  } });
  const orders = /** @type {[string, string][]} */ (Object.entries(T.orders));
  return element("details", { class: "filters", open: hasOrder && matchMedia("(min-width: 800px)").matches },
    element("summary", {}, T.title),
    element("div", { class: "fields" },
      choice(T.state, orAny(Object.keys(TEXTS.states)), filters.state?.[0] ?? "", (value) => {
        filters.state = value ? [value] : undefined;
      }),
      overview.reviewers.length ? choice(T.reviewer, orAny(overview.reviewers), filters.reviewer ?? "", (value) => {
        filters.reviewer = value || undefined;
      }) : null,
      choice(T.quality, orAny(limits), filters.most_expected === undefined ? "" : String(filters.most_expected), (value) => {
        filters.most_expected = value ? Number(value) : undefined;
      }),
      overview.attributes.length ? choice(T.attribute, orAny(overview.attributes), filters.attribute ?? "", (value) => {
        filters.attribute = value || undefined;
      }) : null,
      hasOrder ? choice(T.order, orders, filters.order ?? "quality", (value) => {
        filters.order = value;
      }) : null,
      element("label", { class: "field" }, T.text, text),
      hasOrder ? null : element("label", { class: "check" }, second, T.second)));
}
