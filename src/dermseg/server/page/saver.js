// Saves what is drawn, soon after each change and again until it has arrived.

/** @typedef {"saved" | "waiting" | "saving" | "failed"} Saving */

const PAUSE = 600; // milliseconds without a change
const LONGEST = 1300; // milliseconds with changes all the time
const AGAIN = 1000;

export class Saver {
  /**
   * @param {() => Promise<unknown>} save called for one state at a time
   * @param {(state: Saving) => void} onState
   */
  constructor(save, onState) {
    this.save = save;
    this.onState = onState;
    this.timer = 0;
    /** When the first change came that is not saved yet. @type {number | null} */
    this.since = null;
    /** @type {Promise<void> | null} */
    this.running = null;
    this.isStopped = false;
  }

  /** Something has changed. */
  change() {
    if (this.isStopped) return;
    const now = Date.now();
    this.since ??= now;
    this.onState("waiting");
    this.plan(Math.max(0, Math.min(PAUSE, this.since + LONGEST - now)));
  }

  /** @param {number} wait in milliseconds */
  plan(wait) {
    clearTimeout(this.timer);
    this.timer = Number(setTimeout(() => this.flush().catch(() => {}), wait));
  }

  /** Save now what is not saved yet. @returns {Promise<void>} rejected if that fails */
  async flush() {
    clearTimeout(this.timer);
    if (this.running) await this.running.catch(() => {});
    if (this.since === null || this.isStopped) return;
    const since = this.since;
    this.since = null;
    this.onState("saving");
    this.running = (async () => {
      try {
        await this.save();
      } catch (error) {
        this.since ??= since;
        this.onState("failed");
        if (!this.isStopped) this.plan(AGAIN);
        throw error;
      } finally {
        this.running = null;
      }
      if (this.since === null) this.onState("saved");
    })();
    return this.running;
  }

  /** Whether there is something that has not arrived. */
  get isPending() {
    return this.since !== null || this.running !== null;
  }

  /** Forget what is not saved. */
  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
  }
}
