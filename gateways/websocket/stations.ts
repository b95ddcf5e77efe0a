/**
 * All stations that are connected over WebSocket, and the door they come in by.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { hashText } from "../../actors/fingerprint.ts";
import type { BanClient } from "../../actors/rates/ban.ts";
import type { Intake } from "../../actors/intake.ts";
import type { Sender } from "../../actors/rates/rates.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import { type BannedUntil, refuseBanned } from "../http/banned.ts";
import { Problem } from "../http/problem.ts";
import { refuseForeignPage } from "../http/security.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { Caller } from "../http/callers.ts";
import { type StationEnd, stationEnds } from "./station_end.ts";
import { frameBytesMax, strangerBytesMax } from "./station_frame.ts";
import { StationSession, type StationSocket } from "./station_session.ts";
import { ByteRoom } from "./wire/byte_room.ts";
import { opcodes, WireError } from "./wire/frame_head.ts";
import { requireWebSocket } from "./wire/handshake.ts";
import { type Message, readMessage } from "./wire/message.ts";
import { openSocket } from "./wire/open_socket.ts";
import type { ServerSocket, ServerSocketOptions } from "./wire/server_socket.ts";

export interface StationsOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly required: boolean;
  readonly admit: (token: string) => Promise<Claims | string>;
  readonly isCurrent: (claims: Claims) => boolean;
  /** Why a client's certificate is good no more. */
  readonly endOf: (certificate: ClientCertificate) => "expired" | "revoked" | undefined;
  /** A station's name is its client id. */
  readonly bannedUntilMs: BannedUntil;
  /** A station that was let in has gone by its own doing. */
  readonly flapped: (client: BanClient) => void;
  /** Who is let in; it counts connections by IP address. */
  readonly door: { enter(address: string): boolean; left(address: string): void };
  /** Whose rates are for an account, which may be none, and an IP address. */
  readonly senderOf: (account: string, address: string) => Sender | undefined;
  readonly socket: ServerSocketOptions;
  /** What the frames of all stations may take together, while they come and while they wait. */
  readonly bytesMax: number;
}

/** Connections at once. */
const stationsMax = 4_096;
/** How long a frame may take to come. */
const frameMs = 30_000;
/** Of the room for frames, that of those who have shown no token. They take none of the others'. */
const strangersShare = 0.25;

const endNames = Object.keys(stationEnds) as StationEnd[];
const encoder = new TextEncoder();

/** As a session uses it. */
const stationSocket = (socket: ServerSocket): StationSocket => ({
  get bufferedAmount() {
    return socket.bufferedAmount;
  },
  send: (text) => {
    socket.send(opcodes.text, encoder.encode(text));
  },
  close: (code, reason) => socket.close(code, reason),
});

/** See the module. */
export class Stations {
  readonly #options: StationsOptions;
  readonly #sessions = new Set<StationSession>();
  /** By the name a station gave: the newest connection. */
  readonly #named = new Map<string, StationSession>();
  readonly #ends = new Map<StationEnd, number>();
  readonly #room: ByteRoom;
  readonly #strangersRoom: ByteRoom;
  #draining = false;

  constructor(options: StationsOptions) {
    this.#options = options;
    const strangersBytes = Math.floor(options.bytesMax * strangersShare);
    this.#strangersRoom = new ByteRoom(strangersBytes);
    this.#room = new ByteRoom(options.bytesMax - strangersBytes);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** By metric name: connections that were ended from here. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {};
    for (const why of endNames) {
      const word = why.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      counters[`sluice_stations_ended_total{reason="${word}"}`] = this.#ends.get(why) ?? 0;
    }
    return counters;
  }

  gauges(): Record<string, number> {
    return { sluice_station_frame_bytes: this.#room.usedBytes + this.#strangersRoom.usedBytes };
  }

  /**
   * Makes a connection of a request. `claims` is what the request's own token or certificate
   * said. The answer is for nobody then: `takeOver` has taken the connection
   * away from it.
   *
   * @throws {Problem} when it cannot be had.
   */
  upgrade(
    request: Request,
    { peer, takeOver, certificate, entered = false }: Caller,
    claims: Claims | undefined,
  ): Response {
    requireWebSocket(request, "here is a WebSocket");
    refuseForeignPage(request.headers);
    if (this.#draining || this.#sessions.size >= stationsMax) {
      throw new Problem("unavailable", "no more connections now", {}, { "retry-after": "5" });
    }
    const { senderOf, door, bannedUntilMs } = this.#options;
    const client = { account: claims?.name ?? "", clientId: "", address: peer };
    refuseBanned(bannedUntilMs, client, this.#options.clock);
    if (!entered && !door.enter(peer)) {
      throw new Problem("rate-limited", "too many connections", {}, { "retry-after": "5" });
    }
    const left = () => {
      if (!entered) door.left(peer);
    };
    let socket: ServerSocket;
    try {
      socket = openSocket(request, takeOver, this.#options.socket);
    } catch (cause) {
      left();
      throw cause;
    }
    socket.closed.then(left);
    const session: StationSession = new StationSession(stationSocket(socket), {
      ...this.#options,
      ...(claims === undefined ? {} : { claims }),
      ...(certificate && { certificate }),
      hash: hashText,
      senderOf: (account) => senderOf(account, peer),
      bannedUntilMs: (account, clientId, comes) =>
        bannedUntilMs({ account, clientId, address: peer }, comes),
      named: (before, station) => {
        this.#forgetName(before, session);
        this.#named.set(station, session);
      },
      ended: (why) => {
        this.#sessions.delete(session);
        this.#forgetName(session.station, session);
        if (why !== undefined) this.#ends.set(why, (this.#ends.get(why) ?? 0) + 1);
        const flaps = why === undefined || stationEnds[why].flaps;
        if (!flaps || session.isStranger) return;
        this.#options.flapped({
          account: session.account,
          clientId: session.station,
          address: peer,
        });
      },
    });
    this.#sessions.add(session);
    this.#converse(socket, session);
    return new Response(null);
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
    const result = await session.command(command);
    if (result !== undefined) return result;
    throw new Problem("unavailable", "the station did not answer", {}, { "retry-after": "5" });
  }

  /** Accounts have changed: sessions of what they were end. */
  recheck(): void {
    for (const session of [...this.#sessions]) session.recheck();
  }

  /** Somebody was banned: those stations end. */
  bansChanged(): void {
    for (const session of [...this.#sessions]) session.bansChanged();
  }

  drain(): void {
    this.#draining = true;
    for (const session of [...this.#sessions]) session.drain();
  }

  /** Takes what the station says, a frame at a time, to the end. */
  async #converse(socket: ServerSocket, session: StationSession): Promise<void> {
    session.opened();
    for (;;) {
      const message = await this.#message(socket, session);
      if (message === undefined) break;
      await session.received(message.bytes, message).catch(() => session.refuse("failed"));
    }
    const code = socket.error?.code;
    session.closed(code && (code === 1009 ? "tooLarge" : "protocol"));
  }

  /** The next frame of the station's own, which is a message of text. */
  async #message(socket: ServerSocket, session: StationSession): Promise<Message | undefined> {
    const message = await readMessage(socket, {
      bytesMax: session.isStranger ? strangerBytesMax : frameBytesMax,
      room: session.isStranger ? this.#strangersRoom : this.#room,
      deadlineMs: frameMs,
      clock: this.#options.clock,
    });
    if (message === undefined) return undefined;
    const isGood = message.isText && isUtf8(message.bytes);
    if (isGood) return message;
    message.release();
    if (message.isText) socket.fail(new WireError(1007, "text is UTF-8"));
    else session.refuse("unsupported");
    return undefined;
  }

  #forgetName(station: string, session: StationSession): void {
    if (this.#named.get(station) === session) this.#named.delete(station);
  }
}
