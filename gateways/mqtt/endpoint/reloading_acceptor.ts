/**
 * An acceptor with TLS whose certificate may be replaced while it runs: it looks at the files now
 * and then, and listens anew when they have changed. Connections that were accepted live on.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { Acceptor, Arrival } from "./arrival.ts";

/** A certificate chain and its private key, and what clients' certificates are held to; PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Absent: clients are not asked for certificates. */
  readonly clientCa?: string;
  readonly clientCrl?: string;
}

/** What came of looking at the files: `same` as before, `taken`, or `refused` while the old stay. */
export type LookResult = "same" | "taken" | "refused";

export interface ReloadingAcceptorOptions {
  /** Those that are there at first. */
  readonly files: TlsFiles;
  /** Reads them again. */
  readonly read: () => Promise<TlsFiles>;
  /** Listens, beside whoever has the port already. Throws when they are no good. */
  readonly open: (files: TlsFiles) => Acceptor;
  readonly clock: Clock;
  /** How often to look. */
  readonly everyMs: number;
  readonly reloaded: () => void;
  /** New files were not taken, and the old ones stay. Told once for each change and cause. */
  readonly refused: (cause: unknown) => void;
}

/** See the module. */
export class ReloadingAcceptor implements Acceptor {
  readonly #options: ReloadingAcceptorOptions;
  #current: Acceptor;
  /** Tried last, taken or not. */
  #files: TlsFiles;
  #taken = true;
  #unreadable = "";
  #looking: Promise<unknown> = Promise.resolve();
  #timer: { clear(): void };
  #closed = false;

  /** @throws what `open` does. */
  constructor(options: ReloadingAcceptorOptions) {
    this.#options = options;
    this.#files = options.files;
    this.#current = options.open(options.files);
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

  /** Looks now; what was refused before is tried again, and told again. Never rejects. */
  look(): Promise<LookResult> {
    this.#unreadable = "";
    return this.#lookNext(true);
  }

  /** One look after the other, so that none takes what another has read before it. */
  #lookNext(again: boolean): Promise<LookResult> {
    const look = this.#looking.then(() => this.#look(again));
    this.#looking = look;
    return look;
  }

  #lookLater(): { clear(): void } {
    const { clock, everyMs } = this.#options;
    return clock.setTimer(everyMs, () => {
      this.#lookNext(false).then(() => {
        if (!this.#closed) this.#timer = this.#lookLater();
      });
    });
  }

  async #look(again: boolean): Promise<LookResult> {
    const { read, refused } = this.#options;
    try {
      const files = await read();
      this.#unreadable = "";
      const known = same(files, this.#files) && (this.#taken || !again);
      if (!this.#closed && !known) this.#take(files);
      return !this.#taken ? "refused" : known ? "same" : "taken";
    } catch (cause) {
      if (this.#unreadable !== String(cause)) refused(cause);
      this.#unreadable = String(cause);
      return "refused";
    }
  }

  #take(files: TlsFiles): void {
    const { open, reloaded, refused } = this.#options;
    this.#files = files;
    const old = this.#current;
    try {
      this.#current = open(files);
    } catch (cause) {
      this.#taken = false;
      return refused(cause);
    }
    this.#taken = true;
    old.close(); // Last, so that somebody listens all the time.
    reloaded();
  }
}

const same = (one: TlsFiles, other: TlsFiles): boolean =>
  one.cert === other.cert && one.key === other.key && one.clientCa === other.clientCa &&
  one.clientCrl === other.clientCrl;
