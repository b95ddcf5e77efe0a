/**
 * Point batches as one buffer, to be handed to the store's Worker without a copy of each reading:
 * per batch a header of four counts, the two tables, the device ids and the lines.
 *
 * @module
 */
import type { PointBatch } from "../../actors/sink.ts";

/**
 * Layout, little-endian u32 unless said otherwise:
 * `magic`, number of batches, then per batch: readings, devices, bytes of all device ids, bytes of
 * lines; `lineEnds[readings]`, `deviceOf[readings]`, `idEnds[devices]` (UTF-8 offsets), the ids,
 * the lines, and padding to a multiple of four.
 */
const magic = 0x31504c53; // "SLP1"
const batchHeaderWords = 4;
const utf8 = new TextEncoder();

/** Packs batches. The result shares nothing with them. */
export function packBatches(batches: readonly PointBatch[]): ArrayBuffer {
  const idsOf = batches.map((batch) => batch.devices.map((id) => utf8.encode(id)));
  let length = 8;
  for (const [i, batch] of batches.entries()) {
    const ids = idsOf[i]!;
    const idBytes = ids.reduce((sum, id) => sum + id.length, 0);
    const words = batchHeaderWords + 2 * batch.count + ids.length;
    length += padded(words * 4 + idBytes + batch.lines.length);
  }
  const buffer = new ArrayBuffer(length);
  const bytes = new Uint8Array(buffer);
  const words = new Uint32Array(buffer);
  words[0] = magic;
  words[1] = batches.length;
  let at = 2; // In words.
  for (const [i, batch] of batches.entries()) {
    const ids = idsOf[i]!;
    const idEnds = at + batchHeaderWords + 2 * batch.count;
    words.set(batch.lineEnds.subarray(0, batch.count), at + batchHeaderWords);
    words.set(batch.deviceOf.subarray(0, batch.count), at + batchHeaderWords + batch.count);
    const idStart = (idEnds + ids.length) * 4;
    let idEnd = 0;
    for (const [slot, id] of ids.entries()) {
      bytes.set(id, idStart + idEnd);
      idEnd += id.length;
      words[idEnds + slot] = idEnd;
    }
    bytes.set(batch.lines, idStart + idEnd);
    words.set([batch.count, ids.length, idEnd, batch.lines.length], at);
    at = padded(idStart + idEnd + batch.lines.length) / 4;
  }
  return buffer;
}

/** The batches in a buffer, as views of it. Throws a `RangeError` when it is not a whole frame. */
export function unpackBatches(buffer: ArrayBuffer): PointBatch[] {
  const bytes = new Uint8Array(buffer);
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength < 8) throw broken("its length");
  const words = new Uint32Array(buffer);
  if (words[0] !== magic) throw broken("its first bytes");
  const batches: PointBatch[] = [];
  let at = 2;
  for (let left = words[1]!; left > 0; left--) {
    if (at + batchHeaderWords > words.length) throw broken("a batch header");
    const [count, devices, idBytes, lineBytes] = words.subarray(at, at + batchHeaderWords);
    const lineEnds = at + batchHeaderWords, deviceOf = lineEnds + count!;
    const idEnds = deviceOf + count!, idStart = (idEnds + devices!) * 4;
    const end = idStart + idBytes! + lineBytes!;
    if (end > bytes.length) throw broken("a batch");
    const batch = {
      lines: bytes.subarray(idStart + idBytes!, end),
      count: count!,
      lineEnds: words.subarray(lineEnds, deviceOf),
      deviceOf: words.subarray(deviceOf, idEnds),
      devices: decodeIds(
        bytes.subarray(idStart, idStart + idBytes!),
        words.subarray(idEnds, idEnds + devices!),
      ),
    };
    check(batch);
    batches.push(batch);
    at = padded(end) / 4;
  }
  return batches;
}

function decodeIds(bytes: Uint8Array, ends: Uint32Array): string[] {
  const decoder = new TextDecoder();
  const ids: string[] = [];
  let start = 0;
  for (const end of ends) {
    if (end < start || end > bytes.length) throw broken("a device id");
    ids.push(decoder.decode(bytes.subarray(start, end)));
    start = end;
  }
  return ids;
}

function check({ lineEnds, deviceOf, devices, lines }: PointBatch): void {
  let before = 0;
  for (let i = 0; i < lineEnds.length; i++) {
    const end = lineEnds[i]!;
    if (end < before || end > lines.length) throw broken("the end of a line");
    if (deviceOf[i]! >= devices.length) throw broken("the device of a reading");
    before = end;
  }
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

function broken(what: string): RangeError {
  return new RangeError(`a frame of points is broken: ${what} cannot be right`);
}
