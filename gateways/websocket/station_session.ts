/**
 * One station's connection: takes its frames in their order, and says what it is told.
 *
 * @module
 */
import type { Intake } from "../../actors/intake.ts";
import type { Sender } from "../../actors/rates/rates.ts";
import { type StationEnd, stationEnds, type StationLine } from "./station_end.ts";
import { type StationFrame, stationFrame } from "./station_frame.ts";
import { StationPass, type StationPassOptions } from "./station_pass.ts";
import { stationCredit, StationReadings } from "./station_readings.ts";
import type { Message } from "./wire/message.ts";

/** The part of a WebSocket that is used. */
export interface StationSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface StationOptions extends StationPassOptions {
  readonly intake: Intake;
  readonly hash: (text: string) => number;
  /** Whose rates are for an account, which may be none. */
  readonly senderOf: (account: string) => Sender | undefined;
  /**
   * Until when a station is banned, wall time in ms; 0: it is not. `comes`: it is asking to be let
   * in, which is counted.
   */
  readonly bannedUntilMs: (account: string, station: string, comes: boolean) => number;
  /** The station has said its name, after the one before, and may be told commands under it. */
  readonly named: (before: string, station: string) => void;
  /** `why` when it was ended from here. */
  readonly ended: (why: StationEnd | undefined) => void;
}

/** How long a station may take to answer a command. */
const commandMs = 10_000;
/** Acknowledgements that a station has not read. */
const unreadBytesMax = 256 * 1024;

/** See the module. */
export class StationSession implements StationLine {
  readonly #socket: StationSocket;
  readonly #options: StationOptions;
  readonly #readings: StationReadings;
  readonly #pass: StationPass;
  readonly #commands = new Map<number, (result: unknown) => void>();
  #commandNo = 0;
  #ended = false;

  constructor(socket: StationSocket, options: StationOptions) {
    const { intake, hash, senderOf } = options;
    this.#socket = socket;
    this.#options = options;
    const readings = this.#readings = new StationReadings(this, intake, hash);
    readings.sender = senderOf("");
    this.#pass = new StationPass(this, options, (claims) => {
      readings.claims = claims;
      readings.sender = senderOf(claims.name);
    });
  }

  get station(): string {
    return this.#readings.station;
  }

  /** Of its token or certificate; empty when none was asked for. */
  get account(): string {
    return this.#pass.claims?.name ?? "";
  }

  /** The connection is open. */
  opened(): void {
    if (!this.isStranger) this.#welcome();
  }

  /** It has to show a token first. */
  get isStranger(): boolean {
    return this.#pass.isMissing;
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
    await (hasRoom ? this.#readings.room() : this.#readings.room(0));
  }

  /** Ends the connection for what is no frame of a station. */
  refuse(why: "unsupported" | "failed"): void {
    this.close(why, why === "failed" ? "something went wrong inside" : "frames are text");
  }

  /** The connection is gone. */
  closed(why?: StationEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pass.close();
    this.#readings.close();
    for (const answer of this.#commands.values()) answer(undefined);
    this.#commands.clear();
    this.#options.ended(why);
  }

  /** Takes no more; ends when what was taken is acknowledged. */
  drain(): void {
    this.#readings.drain();
  }

  /** The account may have changed. */
  recheck(): void {
    this.#pass.recheck();
  }

  /** Somebody was banned. */
  bansChanged(): void {
    this.#endIfBanned(this.station, false);
  }

  /** Tells the station a command. What it answers; `undefined`: it has gone, or takes too long. */
  async command(command: unknown): Promise<unknown> {
    const id = ++this.#commandNo;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#commands.set(id, resolve);
    const timer = this.#options.clock.setTimer(commandMs, () => resolve(undefined));
    this.send({ type: "command", id, command });
    const result = await promise;
    timer.clear();
    this.#commands.delete(id);
    return result;
  }

  send(frame: Readonly<Record<string, unknown>>): void {
    if (this.#ended) return;
    if (this.#socket.bufferedAmount > unreadBytesMax) {
      return this.close("noCredit", "the acknowledgements are not read");
    }
    this.#socket.send(JSON.stringify(frame));
  }

  close(why: StationEnd, reason: string): void {
    if (this.#ended) return;
    this.#socket.close(stationEnds[why].code, reason.slice(0, 120));
    this.closed(why);
  }

  /** Whether the frame is held. */
  async #take(frame: StationFrame, bytes: Uint8Array, release: () => void): Promise<boolean> {
    switch (frame.kind) {
      case "bad":
        this.close("badFrame", frame.detail);
        return false;
      case "ping":
        this.send({ type: "pong" });
        return false;
      case "result":
        if (typeof frame.id === "number") this.#commands.get(frame.id)?.(frame.result ?? null);
        return false;
      case "hello":
        if (!await this.#shown(frame.token)) return false;
        if (this.isStranger) {
          this.close("unauthorized", "hello needs a token");
          return false;
        }
        if (frame.station !== "") this.#name(frame.station);
        this.#welcome();
        return false;
      case "readings":
        for (const token of frame.tokens) if (!await this.#shown(token)) return false;
        if (!this.isStranger) {
          return this.#readings.take({ ...frame, bytes: bytes.length, release });
        }
        this.close("unauthorized", "say hello with a token first");
        return false;
      default:
        return frame satisfies never;
    }
  }

  /** False: the frame's token is none, or a banned account's, and the connection ends. */
  #shown(token: string | undefined): boolean | Promise<boolean> {
    return token === undefined || this.#show(token);
  }

  async #show(token: string): Promise<boolean> {
    const before = this.#pass.claims;
    if (!await this.#pass.show(token)) return false;
    return this.#pass.claims === before || !this.#endIfBanned(this.station, true);
  }

  /** True: it is banned, was told so, and the connection ends. */
  #endIfBanned(station: string, comes: boolean): boolean {
    const untilMs = this.#options.bannedUntilMs(this.account, station, comes);
    if (untilMs === 0) return false;
    const until = new Date(untilMs).toISOString();
    this.send({ type: "banned", until });
    this.close("banned", `banned until ${until}`);
    return true;
  }

  /** With accounts a station has the name of its own, unless the account is there for several. */
  #name(station: string): void {
    const { name, permissions } = this.#pass.claims ?? {};
    if (name !== undefined && name !== station && permissions?.write.includes("#") !== true) {
      return this.close("unauthorized", "a station has the name of its account");
    }
    const before = this.#readings.station;
    if (this.#endIfBanned(station, true)) return;
    this.#readings.station = station;
    this.#options.named(before, station);
  }

  #welcome(): void {
    this.send({ type: "welcome", credit: stationCredit });
  }
}
