import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Saver } from "../../../src/dermseg/server/page/saver.js";

/** Let what waits for nothing but a turn go on. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("each change is saved within two seconds, also while changes go on", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const saves = [];
  const saver = new Saver(async () => saves.push(Date.now()), () => {});
  for (let i = 0; i < 40; i++) {
    saver.change();
    mock.timers.tick(100);
    await settle();
  }
  mock.timers.tick(2000);
  await settle();
  assert.ok(saves[0] <= 2000);
  for (let i = 1; i < saves.length; i++) assert.ok(saves[i] - saves[i - 1] <= 2000);
  assert.ok(saves.at(-1) >= 4000);
  assert.equal(saver.isPending, false);
  mock.timers.reset();
});

test("what fails is tried again until it arrives", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let failures = 2;
  const states = [];
  const saver = new Saver(async () => {
    if (failures-- > 0) throw new Error("no");
  }, (state) => states.push(state));
  saver.change();
  for (let i = 0; i < 5; i++) {
    mock.timers.tick(1000);
    await settle();
  }
  assert.deepEqual(states, ["waiting", "saving", "failed", "saving", "failed", "saving", "saved"]);
  mock.timers.reset();
});

test("saving now waits for what is being saved, and tells of failure", async () => {
  let going = 0, most = 0;
  const saver = new Saver(async () => {
    most = Math.max(most, ++going);
    await settle();
    going--;
  }, () => {});
  saver.change();
  const first = saver.flush();
  saver.change();
  await Promise.all([first, saver.flush()]);
  assert.equal(most, 1);
  assert.equal(saver.isPending, false);
  const broken = new Saver(async () => Promise.reject(new Error("no")), () => {});
  broken.change();
  await assert.rejects(broken.flush());
  assert.equal(broken.isPending, true);
  broken.stop();
});
