/**
 * What lets a station send: its token, shown in the request or in a frame. When it expires the
 * station is asked for the next one, and has a while to show it.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { StationLine } from "./station_end.ts";

export interface StationPassOptions {
  readonly clock: Clock;
  /** Whether a token is needed to send. */
  readonly required: boolean;
  /** What the request's own token said. */
  readonly claims?: Claims;
  /** What it came with: tokens that it shows are to be of the same account. */
  readonly certificate?: ClientCertificate;
  /** Why a certificate is good no more. */
  readonly endOf: (certificate: ClientCertificate) => "expired" | "revoked" | undefined;
  /** A token of a frame: what it says, or why it is none. */
  readonly admit: (token: string) => Promise<Claims | string>;
  readonly isCurrent: (claims: Claims) => boolean;
}

/** How long a station may take to send a token, or the next one. */
const tokenMs = 10_000;
/** What ends at a time of the wall clock is looked at as often: somebody may set that. */
const lookMs = 60_000;

/** See the module. */
export class StationPass {
  readonly #line: StationLine;
  readonly #options: StationPassOptions;
  readonly #letIn: (claims: Claims) => void;
  #claims: Claims | undefined;
  #timer: Timer | undefined;
  #certificateTimer: Timer | undefined;
  #lastToken = "";
  #closed = false;

  /** `letIn` is called with what every token says that lets the station send. */
  constructor(line: StationLine, options: StationPassOptions, letIn: (claims: Claims) => void) {
    this.#line = line;
    this.#options = options;
    this.#letIn = letIn;
    if (options.claims !== undefined) this.#let(options.claims);
    else if (options.required) this.#awaitToken();
    this.#watchCertificate();
  }

  get claims(): Claims | undefined {
    return this.#claims;
  }

  /** The station has to show a token first. */
  get isMissing(): boolean {
    return this.#options.required && this.#claims === undefined;
  }

  /** False: it is none, and the connection ends. A token that was let in is not asked for again. */
  async show(token: string): Promise<boolean> {
    if (!this.#options.required || token === this.#lastToken) return true;
    const claims = await this.#options.admit(token);
    if (this.#closed) return false;
    if (typeof claims === "string") {
      this.#line.close("unauthorized", `the token is ${claims}`);
      return false;
    }
    const { certificate } = this.#options;
    if (certificate !== undefined && claims.name !== certificate.name) {
      this.#line.close("unauthorized", "the token is not of the certificate's account");
      return false;
    }
    this.#lastToken = token;
    this.#let(claims);
    return true;
  }

  /** The account may have changed, or the certificate have been revoked. */
  recheck(): void {
    if (this.#endIfUncertified()) return;
    if (this.#claims !== undefined && !this.#options.isCurrent(this.#claims)) {
      this.#line.close("accountChanged", "the account has changed");
    }
  }

  /** The connection has ended. */
  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.#certificateTimer?.clear();
  }

  #endIfUncertified(): boolean {
    const { certificate, endOf } = this.#options;
    const end = certificate && endOf(certificate);
    if (end === undefined) return false;
    const isExpired = end === "expired";
    this.#line.close(
      isExpired ? "tokenExpired" : "accountChanged",
      isExpired ? "the certificate has expired" : "the certificate was revoked",
    );
    return true;
  }

  /** It ends when its certificate does. */
  #watchCertificate(): void {
    const { clock, certificate } = this.#options;
    if (certificate === undefined) return;
    const leftMs = Math.max(0, certificate.expiresMs - clock.now());
    this.#certificateTimer = clock.setTimer(Math.min(lookMs, leftMs), () => {
      if (!this.#endIfUncertified()) this.#watchCertificate();
    });
  }

  #let(claims: Claims): void {
    this.#claims = claims;
    this.#letIn(claims);
    this.#timer?.clear();
    this.#watchToken(claims);
  }

  #watchToken(claims: Claims): void {
    const { clock } = this.#options;
    const leftMs = Math.max(0, claims.expiresS * 1_000 - clock.now());
    this.#timer = clock.setTimer(Math.min(lookMs, leftMs), () => {
      if (clock.now() < claims.expiresS * 1_000) return this.#watchToken(claims);
      this.#line.send({ type: "token_expired", detail: "send hello with a new token" });
      this.#lastToken = "";
      this.#awaitToken();
    });
  }

  #awaitToken(): void {
    this.#timer = this.#options.clock.setTimer(tokenMs, () => {
      const why = this.#claims === undefined ? "unauthorized" : "tokenExpired";
      this.#line.close(why, "no token came");
    });
  }
}
