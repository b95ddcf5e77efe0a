/**
 * Payloads as text. Readings come many to a frame and nearly all of them are ASCII: such a frame is
 * decoded once, and each payload is a slice of its text, for half the time of decoding each.
 *
 * @module
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Stands for what is not UTF-8. */
const replacement = "\ufffd";

/** See the module. */
export class FrameText {
  /** Texts of frames that are in use; the empty one stands for a frame that is not ASCII. */
  readonly #texts = new WeakMap<Uint8Array, string>();

  /**
   * The text of `data[start..end)`, where `data` does not change.
   *
   * @throws {TypeError} when it is not UTF-8.
   */
  text(data: Uint8Array, start: number, end: number): string {
    const text = this.#texts.get(data) ?? this.#decode(data);
    return text === "" ? strict.decode(data.subarray(start, end)) : text.slice(start, end);
  }

  #decode(data: Uint8Array): string {
    const decoded = lenient.decode(data);
    // As many characters as bytes: each is ASCII, or stands for a byte that is not UTF-8.
    const isAscii = decoded.length === data.length && !decoded.includes(replacement);
    const text = isAscii ? decoded : "";
    this.#texts.set(data, text);
    return text;
  }
}
