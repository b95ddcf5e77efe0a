/**
 * A connection in memory: two ends, each of which reads what the other writes.
 *
 * @module
 */
import type { Socket } from "../load/connection.ts";

/** Both ends of a new connection. `readMax` limits what one read returns, to cut packets up. */
export function memorySockets(readMax = Infinity): readonly [MemorySocket, MemorySocket] {
  const there = new Pipe(readMax);
  const back = new Pipe(readMax);
  return [new MemorySocket(back, there), new MemorySocket(there, back)];
}

export class MemorySocket implements Socket {
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.#in = incoming;
    this.#out = outgoing;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#in.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#out.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.#out.end();
    return Promise.resolve();
  }

  close(): void {
    this.#in.end();
    this.#out.end();
  }
}

class Pipe {
  readonly #readMax: number;
  #bytes: number[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(readMax: number) {
    this.#readMax = readMax;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#bytes.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#bytes.length === 0) return null;
    const taken = this.#bytes.splice(0, Math.min(into.length, this.#readMax));
    into.set(taken);
    return taken.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#ended) return Promise.reject(new Error("broken pipe"));
    for (const byte of bytes) this.#bytes.push(byte);
    this.#signal();
    return Promise.resolve(bytes.length);
  }

  end(): void {
    this.#ended = true;
    this.#signal();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
