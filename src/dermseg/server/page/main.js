// The page: which view is shown, and where keys go.

import { AgreementView } from "./agreement.js";
import { getSession, logOut } from "./api.js";
import { element, fill, icon, toast } from "./elements.js";
import { QueueView } from "./queue.js";
import { SheetView } from "./sheet.js";
import { TEXTS } from "./texts.js";
import { TryView } from "./try.js";

/**
 * @typedef {{root: HTMLElement, enter?: (id?: string) => Promise<void>, leave?: () => unknown,
 *   onKey: (event: KeyboardEvent) => boolean}} View
 */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const session = await getSession();

/** @type {Record<string, View>} */
const views = { try: new TryView(session) };
if (session.project !== null) {
  Object.assign(views, { review: new QueueView(session), sheet: new SheetView(session), agreement: new AgreementView() });
}
const links = Object.keys(views).map((name) => element("a", { href: `#/${name}` },
  TEXTS.views[/** @type {keyof typeof TEXTS.views} */ (name)]));
/** @type {string | null} */
let shown = null;

async function route() {
  const [, name = "", id] = location.hash.split("/");
  const wanted = name in views ? name : session.project === null ? "try" : "review";
  if (shown !== null && shown !== wanted) await views[shown].leave?.();
  links.forEach((link, index) => {
    if (Object.keys(views)[index] === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  if (shown !== wanted) fill(main, views[wanted].root);
  shown = wanted;
  document.title = `${TEXTS.views[/** @type {keyof typeof TEXTS.views} */ (wanted)]} · dermseg`;
  try {
    await views[wanted].enter?.(id);
  } catch (error) {
    toast(TEXTS.failedWith(/** @type {Error} */ (error).message));
  }
}

fill(/** @type {HTMLElement} */ (document.getElementById("views")), ...links);
fill(/** @type {HTMLElement} */ (document.getElementById("skip")), TEXTS.skip);
fill(/** @type {HTMLElement} */ (document.getElementById("who")), element("span", {}, session.reviewer),
  element("button", { type: "button", class: "quiet", title: TEXTS.logOut, "aria-label": TEXTS.logOut, onclick: () => logOut().then(() => location.assign("/")) },
    icon("M14 4h5v16h-5M4 12h10M10 8l4 4-4 4"), element("span", {}, TEXTS.logOut)));
document.getElementById("skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  if (shown !== null && !event.defaultPrevented && views[shown].onKey(event)) event.preventDefault();
});
await route();
