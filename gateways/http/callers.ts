/**
 * Who made a request: what the listener and the guard know of it, for those that answer it.
 *
 * @module
 */
import type { Claims } from "../auth/token.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { Connection } from "../mqtt/endpoint/link.ts";

/** Gives a request's connection away; `undefined` when its client has not waited for the answer. */
export type TakeOver = () => Connection | undefined;

export interface Caller {
  /** IP address of the other end. */
  readonly peer: string;
  /** Whether it came over TLS. */
  readonly secure?: boolean;
  /** The client's, which was found good when it connected. */
  readonly certificate?: ClientCertificate | undefined;
  /** It was let in at the door when it connected, and is counted until it leaves. */
  readonly entered?: boolean;
  readonly takeOver?: TakeOver;
  /** Its token's or its certificate's, where one was asked for. */
  readonly claims?: Claims;
  /** One was asked for and none shown: it may be in the body, and nothing is taken without. */
  readonly isStranger?: boolean;
}

/** Of whom nothing is known. */
export const unknown: Caller = { peer: "" };

/** See the module. */
export class Callers {
  readonly #callers = new WeakMap<Request, Caller>();

  set(request: Request, caller: Caller): void {
    this.#callers.set(request, caller);
  }

  of(request: Request): Caller {
    return this.#callers.get(request) ?? unknown;
  }
}
