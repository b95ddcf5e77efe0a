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
  /** The files that are there at first, in use; absent: nobody is let in until there are good ones. */
  readonly first: { readonly files: TlsFiles; readonly acceptor: Acceptor } | undefined;
  /** Listens, beside whoever has the port already. Throws when they are no good. */
  readonly open: (files: TlsFiles) => Acceptor;
}

/** See the module. */
export class ReloadingAcceptor implements Acceptor {
  readonly #watch: CertificateWatch;
  readonly #opened = Promise.withResolvers<void>();
  #current: Acceptor | undefined;
  #closed = false;

  constructor({ first, ...options }: ReloadingAcceptorOptions) {
    this.#current = first?.acceptor;
    this.#watch = new CertificateWatch({
      ...options,
      files: first?.files,
      take: (files) => {
        const old = this.#current;
        this.#current = options.open(files);
        old?.close(); // Last, so that somebody listens all the time.
        this.#opened.resolve();
      },
    });
  }

  async accept(): Promise<Arrival> {
    for (;;) {
      const current = this.#current;
      if (current === undefined) {
        if (this.#closed) throw new Error("closed before there was a certificate");
        await this.#opened.promise;
        continue;
      }
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
    this.#current?.close();
    this.#opened.resolve();
  }

  /** See {@linkcode CertificateWatch.look}. */
  look(): Promise<LookResult> {
    return this.#watch.look();
  }
}
