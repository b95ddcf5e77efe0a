/**
 * One station's connection: takes its frames, offers their readings, and acknowledges each frame
 * when all of its readings are settled. What the shards have no room for waits here, which is no
 * more than the credit the station was given; while it waits the credit is none.
 *
 * @module
 */
import {
  blankOffer,
  type Intake,
  offerFlags,
  type Origin,
  type Rejection,
} from "../../actors/intake.ts";
import type { Sender } from "../../actors/rates/rates.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { maySend } from "../auth/api_guard.ts";
import type { Claims } from "../auth/token.ts";
import type { Item } from "../http/ingest/item.ts";
import type { Message } from "./wire/message.ts";
import { type FrameId, type StationFrame, stationFrame } from "./station_frame.ts";

/** The part of a WebSocket that is used. */
export interface StationSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface StationOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  /** Whether a token is needed to send. */
  readonly required: boolean;
  /** What the request's own token said. */
  readonly claims?: Claims;
  /** A token of a frame: what it says, or why it is none. */
  readonly admit: (token: string) => Promise<Claims | string>;
  readonly isCurrent: (claims: Claims) => boolean;
  readonly hash: (text: string) => number;
  /** Whose rates are for an account, which may be none. */
  readonly senderOf: (account: string) => Sender | undefined;
  /** The station has said its name, after the one before, and may be told commands under it. */
  readonly named: (before: string, station: string) => void;
  /** `why` when it was ended from here. */
  readonly ended: (why: StationEnd | undefined) => void;
}

/** Readings a station may have sent that are not acknowledged. */
export const stationCredit = 256;
/** Largest frame. */
export const frameBytesMax = 512 * 1024;
/** Largest frame of who has not shown a token yet, which may be in it. */
export const strangerBytesMax = 64 * 1024;
/** Frames whose readings wait for room; with more of them nothing is read. */
const heldBytesMax = frameBytesMax;
/** Acknowledgements that a station has not read. */
const unreadBytesMax = 256 * 1024;
/** How long a station may take to send a token, or the next one. */
const tokenMs = 10_000;

/** Codes of WebSocket's own, and ours from 4000 on, after HTTP's. */
export const closeCodes = {
  goingAway: 1001,
  unsupported: 1003,
  tooLarge: 1009,
  /** With the code of what was wrong: the connection is being closed already. */
  protocol: 1002,
  failed: 1011,
  badFrame: 4400,
  unauthorized: 4401,
  noCredit: 4429,
  tryAgain: 4503,
  /** As `unauthorized`, for what ends a connection that was let in. */
  tokenExpired: 4401,
  accountChanged: 4401,
} as const;
export type StationEnd = keyof typeof closeCodes;

/** A frame whose readings are on their way. */
interface Sent {
  readonly id: FrameId;
  readonly number: number;
  waiting: number;
  /** Readings that wait for room, and the bytes of the frame that they keep. */
  held: number;
  readonly bytes: number;
  readonly release: () => void;
  readonly rejected: (Rejection & { readonly index: number })[];
}

/** A reading of a frame, and one that waits for room. */
interface Place {
  readonly sent: Sent;
  readonly index: number;
}
interface Held extends Place {
  readonly item: Item;
}

const encoder = new TextEncoder();

/** See the module. */
export class StationSession implements Origin {
  readonly transport = "websocket";
  originHash = 0;
  sender: Sender | undefined;
  readonly #socket: StationSocket;
  readonly #options: StationOptions;
  readonly #offered = new Map<number, Place>();
  readonly #held: Held[] = [];
  readonly #commands = new Map<number, (result: unknown) => void>();
  #claims: Claims | undefined;
  #station = "";
  #sequence = 0;
  #frames = 0;
  #commandNo = 0;
  #tokenTimer: Timer | undefined;
  #lastToken = "";
  #heldBytes = 0;
  #roomy: PromiseWithResolvers<void> | undefined;
  #draining = false;
  #ended = false;
  readonly #offer = blankOffer();

  constructor(socket: StationSocket, options: StationOptions) {
    this.#socket = socket;
    this.#options = options;
    this.sender = options.senderOf("");
    if (options.claims !== undefined) this.#let(options.claims);
    else if (options.required) this.#awaitToken();
  }

  get station(): string {
    return this.#station;
  }

  /** The connection is open. */
  opened(): void {
    if (!this.isStranger) this.#welcome();
  }

  /** It has to show a token first. */
  get isStranger(): boolean {
    return this.#options.required && this.#claims === undefined;
  }

  /**
   * A frame came. Resolves when the next one may: frames are taken in their order, also when a token
   * must be looked at first, and not while much of what came before waits for room. `release` is
   * called when nothing of the frame is held any more; of one that has no room itself, that is waited
   * for.
   */
  async received(
    bytes: Uint8Array,
    { hasRoom, release }: Pick<Message, "hasRoom" | "release">,
  ): Promise<void> {
    let held = false;
    try {
      if (!this.#ended) held = await this.#take(stationFrame(bytes, stationCredit), bytes, release);
    } finally {
      if (!held) release();
    }
    while (!this.#ended && this.#heldBytes > (hasRoom ? heldBytesMax : 0)) {
      this.#roomy = Promise.withResolvers();
      await this.#roomy.promise;
    }
  }

  /** Ends the connection for what is no frame of a station. */
  refuse(why: "unsupported" | "failed"): void {
    this.#close(why, why === "failed" ? "something went wrong inside" : "frames are text");
  }

  /** The connection is gone. */
  closed(why?: StationEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tokenTimer?.clear();
    this.#options.intake.forget(this);
    for (const { sent } of this.#held.splice(0)) sent.release();
    this.#heldBytes = 0;
    this.#roomy?.resolve();
    for (const answer of this.#commands.values()) answer(undefined);
    this.#commands.clear();
    this.#options.ended(why);
  }

  /** Takes no more; ends when what was taken is acknowledged. */
  drain(): void {
    this.#draining = true;
    this.#send({ type: "credit", readings: 0 });
    this.#endIfDrained();
  }

  /** The account may have changed. */
  recheck(): void {
    if (this.#claims !== undefined && !this.#options.isCurrent(this.#claims)) {
      this.#close("accountChanged", "the account has changed");
    }
  }

  /** Tells the station a command; the promise is what it answers, or `undefined` when it is gone. */
  command(command: unknown): Promise<unknown> {
    const id = ++this.#commandNo;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#commands.set(id, resolve);
    this.#send({ type: "command", id, command });
    return promise.finally(() => this.#commands.delete(id));
  }

  // --- As an origin.

  settled(sequence: number, rejection: Rejection | undefined): void {
    const place = this.#offered.get(sequence);
    if (place === undefined) return;
    this.#offered.delete(sequence);
    this.#decided(place, rejection);
  }

  settledEnd(): void {
    this.#endIfDrained();
  }

  resume(): void {
    const held = this.#held.splice(0);
    for (const [i, one] of held.entries()) {
      if (this.#offerOne(one)) {
        if (--one.sent.held === 0) this.#release(one.sent);
        continue;
      }
      this.#held.push(...held.slice(i + 1));
      break;
    }
    this.#flush();
    if (this.#ended) { for (const { sent } of held.concat(this.#held.splice(0))) sent.release(); }
    else if (this.#held.length === 0 && !this.#draining) {
      this.#send({ type: "credit", readings: stationCredit });
    }
  }

  // --- Frames.

  /** Whether the frame is held. */
  async #take(frame: StationFrame, bytes: Uint8Array, release: () => void): Promise<boolean> {
    switch (frame.kind) {
      case "bad":
        this.#close("badFrame", frame.detail);
        return false;
      case "ping":
        this.#send({ type: "pong" });
        return false;
      case "result":
        if (typeof frame.id === "number") this.#commands.get(frame.id)?.(frame.result ?? null);
        return false;
      case "hello":
        if (frame.token !== undefined && !await this.#token(frame.token)) return false;
        if (frame.station !== "") this.#name(frame.station);
        if (!this.isStranger) this.#welcome();
        return false;
      case "readings":
        if (frame.token !== undefined && !await this.#token(frame.token)) return false;
        if (this.#ended) return false;
        return this.#readings(frame, { bytes: bytes.length, release });
      default:
        return frame satisfies never;
    }
  }

  /** False: it is none, and the connection ends. A token that was let in is not asked for again. */
  async #token(token: string): Promise<boolean> {
    if (!this.#options.required || token === this.#lastToken) return true;
    const claims = await this.#options.admit(token);
    if (this.#ended) return false;
    if (typeof claims === "string") {
      this.#close("unauthorized", `the token is ${claims}`);
      return false;
    }
    this.#lastToken = token;
    this.#let(claims);
    return true;
  }

  #let(claims: Claims): void {
    const { clock } = this.#options;
    this.#claims = claims;
    this.sender = this.#options.senderOf(claims.name);
    this.#tokenTimer?.clear();
    this.#tokenTimer = clock.setTimer(
      Math.min(0x7fff_ffff, Math.max(0, claims.expiresS * 1_000 - clock.now())),
      () => {
        this.#send({ type: "token_expired", detail: "send hello with a new token" });
        this.#lastToken = "";
        this.#awaitToken();
      },
    );
  }

  #awaitToken(): void {
    this.#tokenTimer = this.#options.clock.setTimer(
      tokenMs,
      () =>
        this.#close(this.#claims === undefined ? "unauthorized" : "tokenExpired", "no token came"),
    );
  }

  /** With accounts a station has the name of its own, unless the account is there for several. */
  #name(station: string): void {
    const { name, permissions } = this.#claims ?? {};
    if (name !== undefined && name !== station && permissions?.write.includes("#") !== true) {
      return this.#close("unauthorized", "a station has the name of its account");
    }
    const before = this.#station;
    this.#station = station;
    this.#options.named(before, station);
  }

  #hashOf(id: FrameId): number {
    return this.#options.hash(`${this.#claims?.name ?? ""}\n${this.#station}\n${id}`);
  }

  #welcome(): void {
    this.#send({ type: "welcome", credit: stationCredit });
  }

  /** Whether some of them are held. */
  #readings(
    { id, items }: StationFrame & { readonly kind: "readings" },
    kept: Pick<Sent, "bytes" | "release">,
  ): boolean {
    if (this.isStranger) {
      this.#close("unauthorized", "say hello with a token first");
      return false;
    }
    if (this.#draining) return false;
    if (this.#offered.size + this.#held.length + items.length > stationCredit) {
      this.#close("noCredit", `more than ${stationCredit} readings are not acknowledged`);
      return false;
    }
    const number = ++this.#frames;
    const sent: Sent = { id, number, waiting: items.length, held: 0, ...kept, rejected: [] };
    if (items.length === 0) this.#acknowledge(sent);
    const wasFull = this.#held.length > 0;
    for (const [index, item] of items.entries()) {
      const held = { item, sent, index };
      if (this.#held.length > 0) this.#held.push(held);
      else if (this.#offerOne(held)) continue;
      sent.held++;
    }
    this.#flush();
    if (sent.held === 0 || this.#ended) return false;
    this.#heldBytes += sent.bytes;
    if (!wasFull) this.#send({ type: "credit", readings: 0 });
    return true;
  }

  #release({ bytes, release }: Sent): void {
    this.#heldBytes -= bytes;
    release();
    this.#roomy?.resolve();
  }

  #flush(): void {
    if (this.#options.intake.flush()) return;
    this.#close("tryAgain", "messages could not be kept for subscribers who are away; send again");
  }

  /** False: there is no room, and it is held. */
  #offerOne(held: Held): boolean {
    const { item: { topic, bytes, start, end, problem }, sent } = held;
    const { intake } = this.#options;
    const name = encoder.encode(topic);
    const both = new Uint8Array(name.length + end - start);
    both.set(name);
    both.set(bytes.subarray(start, end), name.length);
    const offer = this.#offer;
    offer.bytes = both;
    offer.topicEnd = offer.payloadStart = name.length;
    offer.payloadEnd = both.length;
    // With a station's name and an id a reading can be known again, should it be sent once more.
    const again = sent.id !== undefined && this.#station !== "";
    this.originHash = again ? this.#hashOf(sent.id) : 0;
    offer.flags = again ? offerFlags.dup : 0;
    offer.packetId = again ? held.index + 1 : 0;
    offer.sequence = ++this.#sequence;
    const claims = this.#claims;
    const refused = problem ??
      (claims === undefined || maySend(claims, topic) ? undefined : notPermitted);
    if (refused !== undefined) {
      const rejection: Rejection = { outcome: "refused", ...refused };
      intake.deny(this, offer, rejection);
      this.#decided(held, rejection);
      return true;
    }
    const result = intake.offer(this, offer);
    if (result === "full") {
      this.#held.push(held);
      return false;
    }
    // Of the frame itself nothing is kept any more.
    if (result === "accepted") this.#offered.set(offer.sequence, { sent, index: held.index });
    else this.#decided(held, result);
    return true;
  }

  #decided({ sent, index }: Place, rejection: Rejection | undefined): void {
    if (rejection !== undefined) sent.rejected.push({ index, ...rejection });
    if (--sent.waiting === 0) this.#acknowledge(sent);
  }

  #acknowledge({ id, number, rejected }: Sent): void {
    const name = id === undefined ? { number } : { id };
    this.#send({
      type: "ack",
      ...name,
      ...(rejected.length === 0 ? {} : { rejected }),
    });
  }

  #send(frame: Readonly<Record<string, unknown>>): void {
    if (this.#ended) return;
    if (this.#socket.bufferedAmount > unreadBytesMax) {
      return this.#close("noCredit", "the acknowledgements are not read");
    }
    this.#socket.send(JSON.stringify(frame));
  }

  #endIfDrained(): void {
    if (this.#draining && this.#offered.size + this.#held.length === 0) {
      this.#close("goingAway", "the service is shutting down");
    }
  }

  #close(why: StationEnd, reason: string): void {
    if (this.#ended) return;
    this.#socket.close(closeCodes[why], reason.slice(0, 120));
    this.closed(why);
  }
}

const notPermitted = {
  reason: "not_authorized",
  detail: "the account may not write this topic",
};
