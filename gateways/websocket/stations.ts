/**
 * All stations that are connected over WebSocket, and the door they come in by.
 *
 * @module
 */
import { hashBytes } from "../../actors/fingerprint.ts";
import type { Intake } from "../../actors/intake.ts";
import type { Sender } from "../../actors/rates/rates.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import { Problem } from "../http/problem.ts";
import { refuseForeignPage } from "../http/security.ts";
import { closeCodes, type StationEnd, StationSession } from "./station_session.ts";

export interface StationsOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly required: boolean;
  readonly admit: (token: string) => Promise<Claims | string>;
  readonly isCurrent: (claims: Claims) => boolean;
  /** Who is let in; it counts connections by IP address. */
  readonly door: { enter(address: string): boolean; left(address: string): void };
  /** Whose rates are for an account, which may be none, and an IP address. */
  readonly senderOf: (account: string, address: string) => Sender | undefined;
}

/** Connections at once. */
const stationsMax = 4_096;
/** A connection from which not even an answer to a ping comes ends. */
const idleTimeoutS = 30;
/** How long a station may take to answer a command. */
const commandMs = 10_000;

const stationEnds = Object.keys(closeCodes) as StationEnd[];
const encoder = new TextEncoder();

function hashText(text: string): number {
  const bytes = encoder.encode(text);
  return hashBytes(bytes, 0, bytes.length);
}

/** See the module. */
export class Stations {
  readonly #options: StationsOptions;
  readonly #sessions = new Set<StationSession>();
  /** By the name a station gave: the newest connection. */
  readonly #named = new Map<string, StationSession>();
  readonly #ends = new Map<StationEnd, number>();
  #draining = false;

  constructor(options: StationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** By metric name: connections that were ended from here. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {};
    for (const why of stationEnds) {
      const word = why.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      counters[`sluice_stations_ended_total{reason="${word}"}`] = this.#ends.get(why) ?? 0;
    }
    return counters;
  }

  /**
   * Makes a connection of a request. `peer` is the IP address of the other end, `claims` what the
   * request's own token said.
   *
   * @throws {Problem} when it cannot be had.
   */
  upgrade(request: Request, peer: string, claims: Claims | undefined): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new Problem("upgrade-required", "here is a WebSocket", {}, { upgrade: "websocket" });
    }
    refuseForeignPage(request.headers);
    if (this.#draining || this.#sessions.size >= stationsMax) {
      throw new Problem("unavailable", "no more connections now", {}, { "retry-after": "5" });
    }
    const { senderOf, door } = this.#options;
    if (!door.enter(peer)) {
      throw new Problem("rate-limited", "too many connections", {}, { "retry-after": "5" });
    }
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, { idleTimeout: idleTimeoutS });
    } catch {
      door.left(peer);
      throw new Problem("invalid-header", "the headers are not those of a WebSocket (RFC 6455)");
    }
    const { socket, response } = upgraded;
    const session: StationSession = new StationSession(socket, {
      ...this.#options,
      ...(claims === undefined ? {} : { claims }),
      hash: hashText,
      senderOf: (account) => senderOf(account, peer),
      named: (before, station) => {
        this.#forgetName(before, session);
        this.#named.set(station, session);
      },
      ended: (why) => {
        door.left(peer);
        this.#sessions.delete(session);
        this.#forgetName(session.station, session);
        if (why !== undefined) this.#ends.set(why, (this.#ends.get(why) ?? 0) + 1);
      },
    });
    this.#sessions.add(session);
    socket.onopen = () => session.opened();
    socket.onmessage = ({ data }) => session.received(data);
    socket.onclose = () => session.closed();
    socket.onerror = () => session.closed();
    return response;
  }

  /**
   * Tells a station a command, and gives its answer.
   *
   * @throws {Problem} when it is not connected, or does not answer in time.
   */
  async command(station: string, command: unknown): Promise<unknown> {
    const session = this.#named.get(station);
    if (session === undefined) {
      throw new Problem("not-found", `no station ${JSON.stringify(station)} is connected`);
    }
    const late = Promise.withResolvers<undefined>();
    const timer = this.#options.clock.setTimer(commandMs, () => late.resolve(undefined));
    const result = await Promise.race([session.command(command), late.promise]);
    timer.clear();
    if (result !== undefined) return result;
    throw new Problem("unavailable", "the station did not answer", {}, { "retry-after": "5" });
  }

  /** Accounts have changed: sessions of what they were end. */
  recheck(): void {
    for (const session of [...this.#sessions]) session.recheck();
  }

  drain(): void {
    this.#draining = true;
    for (const session of [...this.#sessions]) session.drain();
  }

  #forgetName(station: string, session: StationSession): void {
    if (this.#named.get(station) === session) this.#named.delete(station);
  }
}
