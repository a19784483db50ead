// The review: one photograph after the other, the least sure first.

import * as api from "./api.js";
import { Editor } from "./editor.js";
import { element, fill, gauge, isTyping, toast } from "./elements.js";
import { makeFilters } from "./filters.js";
import { Raster } from "./raster.js";
import { Saver } from "./saver.js";
import { TEXTS } from "./texts.js";

const T = TEXTS.review;
const HEARTBEAT = 60_000;

export class QueueView {
  /** @param {api.Session} session */
  constructor(session) {
    this.session = session;
    /** @type {api.Detail | null} */
    this.image = null;
    /** @type {string[]} ids of photographs that were shown before */
    this.past = [];
    /** @type {api.Filters} */
    this.filters = {};
    /** @type {Saver | null} */
    this.saver = null;
    this.isBusy = false;
    this.editor = new Editor(() => this.saver?.change());
    this.panel = element("aside", { class: "panel", "aria-label": TEXTS.views.review });
    this.progress = element("div", { class: "progress" });
    this.message = element("div", { class: "empty" }, T.loading);
    this.root = element("section", { class: "view review" }, this.progress,
      element("div", { class: "workspace" }, this.editor.root, this.panel), this.message);
    addEventListener("beforeunload", (event) => {
      if (this.saver?.isPending) event.preventDefault();
    });
    addEventListener("pagehide", () => this.leave());
    setInterval(() => {
      if (this.image && this.root.isConnected) api.keepLease(this.image.id).catch((error) => toast(error.message));
    }, HEARTBEAT);
  }

  /** Show a photograph, or the next of the queue. @param {string} [id] */
  async enter(id) {
    const wanted = id ?? this.image?.id;
    if (!wanted) return this.next();
    await this.guard(async () => {
      await this.saver?.flush();
      await this.show(await api.take(wanted));
    });
  }

  /** Leave the view: nothing is lost, and others may have the photograph. */
  async leave() {
    if (!this.image) return;
    await this.saver?.flush().catch(() => {});
    await api.giveBack().catch(() => {});
  }

  /** @param {() => Promise<void>} act one at a time; what fails is shown */
  async guard(act) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.root.classList.add("busy");
    try {
      await act();
    } catch (error) {
      const { message, status } = /** @type {api.ApiError} */ (error);
      toast(TEXTS.failedWith(message));
      // Somebody else has it now: what was drawn until then is kept as a draft.
      if (status === 409) await this.moveOn().catch(() => {});
    } finally {
      this.isBusy = false;
      this.root.classList.remove("busy");
    }
  }

  /** Show the next photograph, whatever becomes of this one. */
  async moveOn() {
    const last = this.image?.id ?? null;
    this.saver?.stop();
    const image = await api.takeNext(this.filters, last);
    if (image) await this.show(image);
    else await this.showEnd();
  }

  next() {
    return this.guard(() => this.moveOn());
  }

  async showEnd() {
    this.image = null;
    this.saver?.stop();
    this.saver = null;
    this.editor.close();
    await this.drawProgress();
    fill(this.message, element("h1", {}, T.done), element("p", { class: "muted" }, T.doneHint));
    this.root.classList.add("ended");
  }

  /** @param {api.Detail} image */
  async show(image) {
    this.saver?.stop();
    this.image = image;
    this.root.classList.remove("ended");
    const [height, width] = image.size ?? [0, 0];
    const bitmap = await api.getPicture(image.id);
    const raster = new Raster(width || bitmap.width, height || bitmap.height);
    const revision = this.baseOf(image);
    if (image.draft) {
      raster.load(await api.getDraft(image.id));
      toast(T.draftFound);
    } else if (revision) raster.load(await api.getMask(image.id, revision));
    this.editor.open(bitmap, raster);
    if (image.draft && revision) this.editor.compareWith(await api.getMask(image.id, revision));
    this.saver = new Saver(() => api.saveDraft(image.id, image.revision, raster.runs()), (state) => this.drawSaving(state));
    history.replaceState(null, "", `#/review/${image.id}`);
    this.draw();
    await this.drawProgress();
  }

  /** The mask to begin with: the latest, or for a second opinion the model's. @param {api.Detail} image */
  baseOf(image) {
    const masked = image.revisions.filter((revision) => revision.has_mask);
    const model = masked.find((revision) => revision.action === "predict");
    return (this.isSecond ? (model?.number ?? 0) : masked.at(-1)?.number) ?? 0;
  }

  get isSecond() {
    return Boolean(this.filters.not_reviewer);
  }

  // ---- decisions --------------------------------------------------------------------------------

  /** @param {string} action */
  decide(action) {
    const image = this.image, comment = this.comment?.value ?? "";
    if (!image) return;
    return this.guard(async () => {
      // A second opinion is a mask of its own, even where nothing was drawn.
      if (action === "accept" && this.isSecond) this.saver?.change();
      await this.saver?.flush();
      await api.decide(image.id, action, comment);
      if (action === "comment" || action === "reopen") {
        await this.show(await api.take(image.id));
        return;
      }
      this.past.push(image.id);
      await this.moveOn();
    });
  }

  previous() {
    const id = this.past.pop();
    if (id) this.enter(id);
  }

  /** @param {number} number */
  restore(number) {
    const image = /** @type {api.Detail} */ (this.image);
    this.guard(async () => {
      await this.dropDraft(image);
      await api.restore(image.id, number);
      await this.show(await api.take(image.id));
    });
  }

  discard() {
    const image = /** @type {api.Detail} */ (this.image);
    this.guard(async () => {
      await this.dropDraft(image);
      await this.show(await api.take(image.id));
    });
  }

  /** @param {api.Detail} image */
  async dropDraft(image) {
    await this.saver?.running?.catch(() => {});
    this.saver?.stop();
    await api.discardDraft(image.id);
  }

  // ---- what stands beside -----------------------------------------------------------------------

  /** @param {import("./saver.js").Saving} state */
  drawSaving(state) {
    if (!this.saving) return;
    this.saving.dataset.state = state;
    this.saving.textContent = { saved: T.saved, waiting: T.unsaved, saving: T.saving, failed: T.retrying }[state];
    this.discarder?.removeAttribute("hidden");
  }

  draw() {
    const image = /** @type {api.Detail} */ (this.image);
    /** @param {string} action @param {string} key @param {string} [kind] */
    const button = (action, key, kind = "") => element("button", {
      type: "button", class: kind, onclick: () => this.decide(action), "aria-keyshortcuts": key,
    }, /** @type {any} */ (T)[action], element("kbd", {}, key));
    this.saving = element("span", { class: "saving", role: "status" });
    this.discarder = element("button", { type: "button", class: "quiet", hidden: !image.draft, onclick: () => this.discard() }, T.discard);
    this.comment = element("textarea", { rows: 2, maxlength: 2000, placeholder: T.commentHint, "aria-label": T.comment });
    const hasMask = image.revisions.some((revision) => revision.has_mask);
    fill(this.panel,
      element("div", { class: "row spread" }, element("h1", { class: "name", title: image.name }, image.name),
        element("span", { class: `pill ${image.state}` }, TEXTS.states[/** @type {keyof typeof TEXTS.states} */ (image.state)])),
      image.refusal && element("p", { class: "notice" }, image.refusal),
      hasMask ? null : element("p", { class: "notice" }, T.noMask),
      element("div", { class: "block" }, element("h2", { title: TEXTS.try.qualityHint }, TEXTS.try.quality),
        image.expected_jaccard === null ? element("p", { class: "muted" }, T.noQuality)
          : gauge(image.expected_jaccard, image.expected_jaccard < (this.session.review_below ?? 0), TEXTS.try.quality)),
      image.attributes.length ? element("p", { class: "small muted" }, image.attributes.join(", ").replaceAll("_", " ")) : null,
      element("div", { class: "decisions" }, button("accept", "A", "primary"), button("reject", "R"), button("skip", "N")),
      element("div", { class: "row spread" }, this.saving, this.discarder),
      this.comment,
      element("div", { class: "row spread" }, button("comment", "C", "quiet"),
        image.state === "open" ? null : button("reopen", "", "quiet")),
      this.makeHistory(image),
      element("div", { class: "row spread" },
        element("button", { type: "button", class: "quiet", disabled: !this.past.length, onclick: () => this.previous() }, T.previous, element("kbd", {}, "U"))),
      element("details", { class: "keys" }, element("summary", {}, T.keys), element("dl", {},
        ...T.keyList.flatMap(([keys, meaning]) => [element("dt", {}, element("kbd", {}, keys)), element("dd", {}, meaning)]))));
  }

  /** @param {api.Detail} image */
  makeHistory(image) {
    const shown = this.baseOf(image);
    return element("details", { class: "history", open: image.revisions.length > 1 }, element("summary", {}, T.history),
      element("ol", {}, ...image.revisions.toReversed().map((revision) => element("li", {},
        element("div", {}, element("strong", {}, revision.reviewer ?? revision.model ?? T.model),
          ` ${T.actions[revision.action]} `,
          element("time", {}, new Date(1000 * revision.created).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }))),
        revision.comment ? element("p", { class: "small" }, revision.comment) : null,
        revision.number === shown || !revision.has_mask
          ? element("span", { class: "small muted" }, revision.number === shown ? T.shown : "")
          : element("button", { type: "button", class: "quiet", onclick: () => this.restore(revision.number) }, T.restore)))));
  }

  async drawProgress() {
    const overview = await api.getOverview();
    const all = Object.values(overview.progress).reduce((sum, number) => sum + number, 0);
    const done = all - overview.progress.open;
    const bar = element("div", { class: "stack", "aria-hidden": "true" });
    for (const [state, number] of Object.entries(overview.progress)) {
      const part = element("span", { class: state, title: `${number} ${state}` });
      part.style.flexGrow = String(number);
      bar.append(part);
    }
    fill(this.progress, element("p", {}, T.progress(done, all)), bar,
      makeFilters(this.filters, overview, this.session.reviewer, false, () => this.leave().then(() => this.next())));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isTyping(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return false;
    }
    if (this.editor.onKey(event)) return true;
    if (event.ctrlKey || event.metaKey || event.altKey || !this.image) return false;
    /** @type {Record<string, () => void>} */
    const keys = {
      a: () => this.decide("accept"), r: () => this.decide("reject"), n: () => this.decide("skip"),
      c: () => this.comment?.focus(), u: () => this.previous(),
    };
    keys[event.key.toLowerCase()]?.();
    return event.key.toLowerCase() in keys;
  }
}
