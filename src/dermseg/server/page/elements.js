// Small helpers around the document.

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {Record<string, any>} Properties attributes; "on..." listens, "class" is the class
 */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Properties} [properties] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => /** @type {Node | string} */ (child)));
  return made;
}

/** @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => /** @type {Node | string} */ (child)));
}

/** A drawing of 24 by 24 units in lines. @param {string} path */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Show a line for a few seconds. @param {string} text */
export function toast(text) {
  const line = element("p", { class: "toast" }, text);
  document.getElementById("toasts")?.append(line);
  setTimeout(() => line.remove(), 6000);
}

/** @param {Blob} content @param {string} name */
export function download(content, name) {
  const url = URL.createObjectURL(content);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * A bar from 0 to 1 with a number, coloured by whether to look.
 * @param {number} value @param {boolean} isLow @param {string} label
 */
export function gauge(value, isLow, label) {
  const bar = element("span", { class: "gauge-bar" });
  bar.style.width = `${Math.round(100 * value)}%`;
  return element("div", { class: isLow ? "gauge low" : "gauge", role: "meter", "aria-label": label,
    "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": value.toFixed(2) },
    element("span", { class: "gauge-track" }, bar), element("strong", {}, value.toFixed(2)));
}

/** Whether keys go into a field, and are no commands. @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof HTMLElement && (target.matches("textarea, select") ||
    (target instanceof HTMLInputElement && !["range", "checkbox", "button"].includes(target.type)));
}
