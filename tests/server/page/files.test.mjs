import assert from "node:assert/strict";
import { test } from "node:test";

import { joinCocos, joinTables } from "../../../src/dermseg/server/page/files.js";
import { runsAt } from "../../../src/dermseg/server/page/threshold.js";
import { crc32, zip } from "../../../src/dermseg/server/page/zip.js";

test("checksums are those of ZIP", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("an archive names each file and holds its bytes", async () => {
  const archive = await zip([["a.txt", new Blob(["one"])], ["ü.txt", new Blob(["two"])]]);
  const bytes = new Uint8Array(await archive.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  assert.equal(view.getUint32(end, true), 0x06054b50);
  assert.equal(view.getUint16(end + 10, true), 2);
  assert.equal(view.getUint32(view.getUint32(end + 16, true), true), 0x02014b50);
  assert.match(new TextDecoder().decode(bytes), /a\.txtone.*ü\.txttwo/s);
});

test("tables keep one header, and COCO gets new numbers", () => {
  assert.equal(joinTables(["h\n1\n", "h\n2\n"]), "h\n1\n2\n");
  const one = { categories: [1], images: [{ id: 1, file_name: "a" }], annotations: [{ id: 1, image_id: 1 }] };
  const joined = joinCocos([one, { ...one, annotations: [] }, one]);
  assert.deepEqual(joined.images.map((image) => image.id), [1, 2, 3]);
  assert.deepEqual(joined.annotations.map((entry) => [entry.id, entry.image_id]), [[1, 1], [2, 3]]);
});

test("a threshold keeps the largest region, and fills its holes", () => {
  const values = new Uint8Array(100).fill(0);
  for (let y = 1; y < 7; y++) for (let x = 1; x < 7; x++) values[y * 10 + x] = 200;
  values[3 * 10 + 3] = 0;
  values[8 * 10 + 8] = 200;
  const map = { width: 10, height: 10, values: btoa(String.fromCharCode(...values)), box: null };
  const runs = new Uint32Array(runsAt(map, 100, 100, 0.5));
  let area = 0;
  for (let i = 0; i < runs.length; i += 2) area += runs[i + 1] - runs[i];
  // Half way from 200 to 0 lies at 127: a seventh of a pixel inside.
  assert.ok(Math.abs(area - 3272) < 150, String(area));
  assert.equal(runsAt(map, 100, 100, 0.9).byteLength, 0);
});
