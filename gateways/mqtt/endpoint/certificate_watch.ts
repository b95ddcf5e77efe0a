/**
 * Looks now and then whether the files of a certificate have changed, and has those taken that have.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";

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

export interface CertificateWatchOptions {
  /** Those that are in use; `undefined`: none could be taken so far. */
  readonly files: TlsFiles | undefined;
  /** Reads them again. */
  readonly read: () => Promise<TlsFiles>;
  /** Uses them from now on. Throws when they are no good: then those before stay in use. */
  readonly take: (files: TlsFiles) => void;
  readonly clock: Clock;
  /** How often to look. */
  readonly everyMs: number;
  readonly reloaded: () => void;
  /** New files were not taken, and the old ones stay. Told once for each change and cause. */
  readonly refused: (cause: unknown) => void;
}

/** See the module. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  /** Tried last, taken or not. */
  #files: TlsFiles | undefined;
  #taken: boolean;
  #unreadable = "";
  #looking: Promise<unknown> = Promise.resolve();
  #timer: { clear(): void };
  #closed = false;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#files = options.files;
    this.#taken = options.files !== undefined;
    this.#timer = this.#lookLater();
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    this.#timer.clear();
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
    const { take, reloaded, refused } = this.#options;
    this.#files = files;
    try {
      take(files);
    } catch (cause) {
      this.#taken = false;
      return refused(cause);
    }
    this.#taken = true;
    reloaded();
  }
}

const same = (one: TlsFiles, other: TlsFiles | undefined): boolean =>
  other !== undefined && one.cert === other.cert && one.key === other.key &&
  one.clientCa === other.clientCa && one.clientCrl === other.clientCrl;
