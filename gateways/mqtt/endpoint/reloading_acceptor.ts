/**
 * An acceptor with TLS whose certificate may be replaced while it runs: when the files have changed
 * it listens anew. Connections that were accepted live on.
 *
 * @module
 */
import type { Acceptor, Arrival } from "./arrival.ts";
import {
  CertificateWatch,
  type CertificateWatchOptions,
  type LookResult,
  type TlsFiles,
} from "./certificate_watch.ts";

export interface ReloadingAcceptorOptions extends Omit<CertificateWatchOptions, "files" | "take"> {
  /** Those that are there at first. */
  readonly files: TlsFiles;
  /** Listens, beside whoever has the port already. Throws when they are no good. */
  readonly open: (files: TlsFiles) => Acceptor;
}

/** See the module. */
export class ReloadingAcceptor implements Acceptor {
  readonly #watch: CertificateWatch;
  #current: Acceptor;
  #closed = false;

  /** @throws what `open` does. */
  constructor(options: ReloadingAcceptorOptions) {
    this.#current = options.open(options.files);
    this.#watch = new CertificateWatch({
      ...options,
      take: (files) => {
        const old = this.#current;
        this.#current = options.open(files);
        old.close(); // Last, so that somebody listens all the time.
      },
    });
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
    this.#watch.close();
    this.#current.close();
  }

  /** See {@linkcode CertificateWatch.look}. */
  look(): Promise<LookResult> {
    return this.#watch.look();
  }
}
