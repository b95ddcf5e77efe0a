/**
 * Those who follow something over HTTP: how many there may be, and that each ends when it may see no
 * more, also while there is nothing to send.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";

interface Viewer {
  close(): void;
}

export interface ViewersOptions {
  readonly clock: Clock;
  readonly countMax: number;
  /** False once the account of a token is not what it was any more. */
  readonly isCurrent: (claims: Claims) => boolean;
}

/** How long after its token's end a viewer may still be there. */
const checkMs = 500;

/** See the module. */
export class Viewers {
  readonly #options: ViewersOptions;
  readonly #viewers = new Map<Viewer, Claims | undefined>();
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

  /** Whether who came with this token, if one was needed, may see more. */
  mayGoOn(claims: Claims | undefined): boolean {
    const { clock, isCurrent } = this.#options;
    return claims === undefined || (isCurrent(claims) && clock.now() < claims.expiresS * 1_000);
  }

  add(viewer: Viewer, claims: Claims | undefined): void {
    this.#viewers.set(viewer, claims);
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
    for (const [viewer, claims] of [...this.#viewers]) {
      if (!this.mayGoOn(claims)) viewer.close();
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
