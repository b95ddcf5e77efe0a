/**
 * An acceptor with TLS whose certificate may be replaced while it runs: it looks at the files now
 * and then, and listens anew when they have changed. Connections that were accepted live on.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { Acceptor, Arrival } from "./arrival.ts";

/** A certificate chain and its private key, PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface ReloadingAcceptorOptions {
  /** The pair that is there at first. */
  readonly pair: TlsPair;
  /** Reads the pair again. */
  readonly read: () => Promise<TlsPair>;
  /** Listens, beside whoever has the port already. Throws when the pair is no good. */
  readonly open: (pair: TlsPair) => Acceptor;
  readonly clock: Clock;
  /** How often to look. */
  readonly everyMs: number;
  readonly reloaded: () => void;
  /** A new pair was not taken, and the old one stays. Told once for each pair and cause. */
  readonly refused: (cause: unknown) => void;
}

/** See the module. */
export class ReloadingAcceptor implements Acceptor {
  readonly #options: ReloadingAcceptorOptions;
  #current: Acceptor;
  /** Tried last, taken or not. */
  #pair: TlsPair;
  #unreadable = "";
  #timer: { clear(): void };
  #closed = false;

  /** @throws what `open` does. */
  constructor(options: ReloadingAcceptorOptions) {
    this.#options = options;
    this.#pair = options.pair;
    this.#current = options.open(options.pair);
    this.#timer = this.#lookLater();
  }

  async accept(): Promise<Arrival> {
    for (;;) {
      const current = this.#current;
      try {
        return await current.accept();
      } catch (error) {
        // One that was replaced meanwhile says so by failing.
        if (this.#closed || current === this.#current) throw error;
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.clear();
    this.#current.close();
  }

  #lookLater(): { clear(): void } {
    const { clock, everyMs } = this.#options;
    return clock.setTimer(everyMs, () => {
      this.#look().finally(() => {
        if (!this.#closed) this.#timer = this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { read, refused } = this.#options;
    try {
      const pair = await read();
      this.#unreadable = "";
      if (!this.#closed && !same(pair, this.#pair)) this.#take(pair);
    } catch (cause) {
      if (this.#unreadable === String(cause)) return;
      this.#unreadable = String(cause);
      refused(cause);
    }
  }

  #take(pair: TlsPair): void {
    const { open, reloaded, refused } = this.#options;
    this.#pair = pair;
    const old = this.#current;
    try {
      this.#current = open(pair);
    } catch (cause) {
      return refused(cause);
    }
    old.close(); // Last, so that somebody listens all the time.
    reloaded();
  }
}

const same = (one: TlsPair, other: TlsPair): boolean =>
  one.cert === other.cert && one.key === other.key;
