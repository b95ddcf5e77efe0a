/**
 * Which device's code runs just now, or ran last, in memory that outlives the Worker: when the code
 * spins for ever, or throws where nobody catches it, the whole shard is lost, and this is how the
 * host knows whose doing that was.
 *
 * @module
 */

const statuses = ["none", "running", "ran"] as const;
const headBytes = 8;
const idBytesMax = 1_024;

/** What is known of the code of a Worker that was lost. */
export interface TracedCode {
  readonly device: string;
  /** True: it had not returned. False: it was the last to return, which proves nothing yet. */
  readonly running: boolean;
}

/** Shared memory for one shard's trace. */
export function codeTraceMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + idBytesMax);
}

/** The shard's side. */
export class CodeTrace {
  readonly #head: Int32Array;
  readonly #id: Uint8Array;

  constructor(memory: SharedArrayBuffer = codeTraceMemory()) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#id = new Uint8Array(memory, headBytes);
    this.#head.fill(0);
  }

  /** The code of the device with this id, in UTF-8, is about to run. */
  enter(id: Uint8Array): void {
    const head = this.#head;
    if (id.length > idBytesMax) {
      head[0] = 0;
      return;
    }
    this.#id.set(id);
    head[1] = id.length;
    head[0] = 1;
  }

  /** It returned, or threw. */
  leave(): void {
    if (this.#head[0] === 1) this.#head[0] = 2;
  }
}

/**
 * The host's side.
 *
 * @example
 * ```ts
 * import { CodeTrace, codeTraceMemory, readCodeTrace } from "./code_trace.ts";
 * import assert from "node:assert/strict";
 *
 * const memory = codeTraceMemory();
 * const trace = new CodeTrace(memory);
 * assert.equal(readCodeTrace(memory), undefined);
 * trace.enter(new TextEncoder().encode("freezer-1"));
 * assert.deepEqual(readCodeTrace(memory), { device: "freezer-1", running: true });
 * trace.leave();
 * assert.deepEqual(readCodeTrace(memory), { device: "freezer-1", running: false });
 * ```
 */
export function readCodeTrace(memory: SharedArrayBuffer): TracedCode | undefined {
  const [status = 0, length = 0] = new Int32Array(memory, 0, 2);
  const name = statuses[status];
  if (name === undefined || name === "none") return undefined;
  const id = new Uint8Array(memory, headBytes, length).slice();
  return { device: new TextDecoder().decode(id), running: name === "running" };
}
