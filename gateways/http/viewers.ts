/**
 * Those who follow something over HTTP: how many there may be, and that each ends when it may see no
 * more, also while there is nothing to send.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { Caller } from "./callers.ts";

interface Viewer {
  close(): void;
}

/** What it came with, if that was needed. */
type Credentials = Pick<Caller, "peer" | "claims" | "certificate">;

export interface ViewersOptions {
  readonly clock: Clock;
  readonly countMax: number;
  /** False once the account of a token is not what it was any more. */
  readonly isCurrent: (claims: Claims) => boolean;
  /** Why a client's certificate is good no more. */
  readonly endOf: (certificate: ClientCertificate) => "expired" | "revoked" | undefined;
  /** Whether its account or its address is. */
  readonly isBanned: (viewer: Pick<Caller, "peer" | "claims">) => boolean;
}

/** How long after its token's end a viewer may still be there. */
const checkMs = 500;

/** See the module. */
export class Viewers {
  readonly #options: ViewersOptions;
  readonly #viewers = new Map<Viewer, Credentials>();
  #timer: Timer | undefined;

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#viewers.size;
  }

  get full(): boolean {
    return this.#viewers.size >= this.#options.countMax;
  }

  /** Whether who came with these may see more. */
  mayGoOn({ peer, claims, certificate }: Credentials): boolean {
    const { clock, isCurrent, endOf, isBanned } = this.#options;
    if (certificate !== undefined && endOf(certificate) !== undefined) return false;
    if (isBanned({ peer, ...(claims && { claims }) })) return false;
    return claims === undefined || (isCurrent(claims) && clock.now() < claims.expiresS * 1_000);
  }

  add(viewer: Viewer, credentials: Credentials): void {
    this.#viewers.set(viewer, credentials);
    this.#checkLater();
  }

  delete(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  /** Ends those that may see no more. */
  recheck(): void {
    for (const [viewer, credentials] of [...this.#viewers]) {
      if (!this.mayGoOn(credentials)) viewer.close();
    }
  }

  close(): void {
    for (const viewer of [...this.#viewers.keys()]) viewer.close();
  }

  #checkLater(): void {
    this.#timer ??= this.#options.clock.setTimer(checkMs, () => {
      this.#timer = undefined;
      this.recheck();
      if (this.#viewers.size > 0) this.#checkLater();
    });
  }
}
