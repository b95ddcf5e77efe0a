/**
 * A store that takes everything at once and only counts lines: it costs the same however many
 * series there are, so that what is left is Sluice's own.
 *
 * @module
 */
import type { BenchStore, Held } from "./store.ts";

const newline = 0x0a;

/** See the module. Lives in this process: one line is one reading. */
export class CountingStore implements BenchStore {
  readonly pid = Deno.pid;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #lines = 0;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const body = await request.bytes();
        for (let at = body.indexOf(newline); at >= 0; at = body.indexOf(newline, at + 1)) {
          this.#lines++;
        }
        return new Response(null, { status: 204 });
      },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  taken(): Promise<number> {
    return Promise.resolve(this.#lines);
  }

  /** It forgets what it took: there is nothing to compare. */
  held(_fromMs: number, _toMs: number, expected: number): Promise<Held> {
    return Promise.resolve({ readings: expected, distinct: expected });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}
