// Many files in one: a ZIP archive without compression, since PNG and JPEG have theirs.

const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = number & 1 ? 0xedb88320 ^ (number >>> 1) : number >>> 1;
  return number >>> 0;
});

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** @param {[string, Blob][]} files name and content @returns {Promise<Blob>} */
export async function zip(files) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const entries = [];
  let offset = 0;
  for (const [name, content] of files) {
    const bytes = new Uint8Array(await content.arrayBuffer()), path = new TextEncoder().encode(name);
    // Version 2.0, names in UTF-8, stored, on the first day that ZIP knows.
    const shared = [20, 0x0800, 0, 0, 0x21];
    const sizes = [crc32(bytes), bytes.length, bytes.length];
    const local = header(0x04034b50, shared, sizes, [path.length, 0], [], path);
    entries.push(header(0x02014b50, [20, ...shared], sizes, [path.length, 0, 0, 0, 0], [0, offset], path));
    parts.push(local, bytes);
    offset += local.length + bytes.length;
  }
  const size = entries.reduce((sum, entry) => sum + entry.length, 0);
  const end = header(0x06054b50, [0, 0, entries.length, entries.length], [size, offset], [0], [], new Uint8Array());
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}

/**
 * @param {number} mark @param {number[]} shorts @param {number[]} longs @param {number[]} moreShorts
 * @param {number[]} moreLongs @param {Uint8Array} path @returns {Uint8Array<ArrayBuffer>}
 */
function header(mark, shorts, longs, moreShorts, moreLongs, path) {
  const length = 4 + 2 * (shorts.length + moreShorts.length) + 4 * (longs.length + moreLongs.length);
  const bytes = new Uint8Array(length + path.length), view = new DataView(bytes.buffer);
  view.setUint32(0, mark, true);
  let at = 4;
  for (const [values, width] of /** @type {[number[], number][]} */ ([[shorts, 2], [longs, 4], [moreShorts, 2], [moreLongs, 4]])) {
    for (const value of values) {
      if (width === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += width;
    }
  }
  bytes.set(path, at);
  return bytes;
}
