/**
 * Lines for whoever reads the output, who may be gone, or keep it on a disk that is full: what
 * cannot be written is counted, told of as soon as it can, and is nobody else's failure.
 *
 * @module
 */

const newline = 0x0a;
const encoder = new TextEncoder();

/** See the module. */
export class LineWriter {
  /** The line that says how many lines were lost. */
  tell: (lost: number) => string = (lost) => `${lost} lines could not be written here\n`;

  readonly #put: (bytes: Uint8Array) => number;
  #lost = 0;
  #untold = 0;
  #torn = false;

  /** `put` writes some of the bytes and says how many; it may throw. */
  constructor(put: (bytes: Uint8Array) => number) {
    this.#put = put;
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return { sluice_log_lines_lost_total: this.#lost };
  }

  /** Writes lines, each with its end. Never throws. */
  write(lines: string): void {
    try {
      if (this.#untold > 0) this.#writeAll(`${this.#torn ? "\n" : ""}${this.tell(this.#untold)}`);
      this.#untold = 0;
      this.#writeAll(lines);
    } catch {
      const count = lines.split("\n").length - 1;
      this.#lost += count;
      this.#untold += count;
    }
  }

  #writeAll(text: string): void {
    let rest = encoder.encode(text);
    while (rest.length > 0) {
      const written = this.#put(rest);
      this.#torn = rest[written - 1] !== newline;
      rest = rest.subarray(written);
    }
  }
}
