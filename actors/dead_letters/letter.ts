/**
 * A dead letter: a reading, or a line of one, that can never be stored as it is, with all that is
 * needed to understand it and to try it again.
 *
 * Many letters lie in one record: after the frame's header, for each an f64 of the arrival in ms and
 * a u32 of the form, then five parts, each a u32 of its length and its bytes: transport, topic,
 * reason, detail, payload.
 *
 * @module
 */
import { allocateFrame, frameHeaderBytes } from "../segment_log/frame.ts";

/** `payload`: as the device sent it. `lines`: line protocol that the store refused. */
export const letterForms = ["payload", "lines"] as const;
export type LetterForm = typeof letterForms[number];

export interface Letter {
  /** Default `payload`. */
  readonly form?: LetterForm;
  /** Where it came from; of `lines`, the id of the device. */
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Wall time, ms. */
  readonly arrivalMs: number;
  readonly transport: string;
  /** A stable word, fit for a metric label. */
  readonly reason: string;
  /** For people. */
  readonly detail: string;
}

/** The frame kind of a record of letters. */
export const lettersKind = 2;

const fixedBytes = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A letter in bytes, as it lies in a record. */
export function encodeLetter(letter: Letter): Uint8Array<ArrayBuffer> {
  const parts = [letter.transport, letter.topic, letter.reason, letter.detail]
    .map((text) => encoder.encode(text));
  parts.push(new Uint8Array(letter.payload));
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + 4 + part.length, fixedBytes),
  );
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, letter.arrivalMs, true);
  view.setUint32(8, letterForms.indexOf(letter.form ?? "payload"), true);
  let at = fixedBytes;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/** A frame of letters that were encoded one by one. */
export function frameLetters(letters: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const frame = allocateFrame(letters.reduce((sum, letter) => sum + letter.length, 0));
  let at = frameHeaderBytes;
  for (const letter of letters) {
    frame.set(letter, at);
    at += letter.length;
  }
  return frame;
}

/** The letters of a frame that passed its check; their payloads are copies. */
export function* readLetters(frame: Uint8Array, count: number): Generator<Letter> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let at = frameHeaderBytes;
  const part = () => {
    const end = at + 4 + view.getUint32(at, true);
    const bytes = frame.slice(at + 4, end);
    at = end;
    return bytes;
  };
  const text = () => decoder.decode(part());
  for (let i = 0; i < count; i++) {
    const arrivalMs = view.getFloat64(at, true);
    const form = letterForms[view.getUint32(at + 8, true)] ?? "payload";
    at += fixedBytes;
    const [transport, topic, reason, detail] = [text(), text(), text(), text()];
    yield { form, arrivalMs, transport, topic, reason, detail, payload: part() };
  }
}
