/**
 * The readings of a station: offers them, and acknowledges each frame when all of its readings are
 * settled. What the shards have no room for waits here, which is no more than the credit the station
 * was given; while it waits the credit is none.
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
import { maySend, notPermitted } from "../auth/api_guard.ts";
import type { Claims } from "../auth/token.ts";
import type { Item } from "../http/ingest/item.ts";
import type { StationLine } from "./station_end.ts";
import { frameBytesMax, type FrameId } from "./station_frame.ts";

/** Readings a station may have sent that are not acknowledged. */
export const stationCredit = 256;
/** Frames whose readings wait for room; with more of them nothing is read. */
const heldBytesMax = frameBytesMax;

/** A frame of readings. */
export interface ReadingsFrame {
  readonly id: FrameId;
  readonly items: readonly Item[];
  readonly bytes: number;
  /** To be called when nothing of the frame is held any more. */
  readonly release: () => void;
}

/** A frame whose readings are on their way. */
interface Sent extends Pick<ReadingsFrame, "id" | "bytes" | "release"> {
  readonly number: number;
  /** Of the station and the id, by which its readings are known again, if they are. */
  readonly hash: number | undefined;
  waiting: number;
  /** Readings that wait for room, and keep the bytes of the frame. */
  held: number;
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
export class StationReadings implements Origin {
  readonly transport = "websocket";
  originHash = 0;
  sender: Sender | undefined;
  /** Who sends them, when accounts are asked for. */
  claims: Claims | undefined;
  /** The station's name; without one a reading cannot be known again. */
  station = "";
  readonly #line: StationLine;
  readonly #intake: Intake;
  readonly #hash: (text: string) => number;
  readonly #offered = new Map<number, Place>();
  readonly #held: Held[] = [];
  readonly #offer = blankOffer();
  #sequence = 0;
  #frames = 0;
  #heldBytes = 0;
  #roomy: PromiseWithResolvers<void> | undefined;
  #draining = false;
  #closed = false;

  constructor(line: StationLine, intake: Intake, hash: (text: string) => number) {
    this.#line = line;
    this.#intake = intake;
    this.#hash = hash;
  }

  /** Whether some readings of the frame are held, which it must be released for. */
  take({ id, items, bytes, release }: ReadingsFrame): boolean {
    if (this.#draining || this.#closed) return false;
    if (this.#offered.size + this.#held.length + items.length > stationCredit) {
      this.#line.close("noCredit", `more than ${stationCredit} readings are not acknowledged`);
      return false;
    }
    const number = ++this.#frames;
    // With a station's name and an id a reading can be known again, should it be sent once more.
    const again = id !== undefined && this.station !== "";
    const sent: Sent = {
      id,
      number,
      hash: again ? this.#hashOf(id) : undefined,
      waiting: items.length,
      held: 0,
      bytes,
      release,
      rejected: [],
    };
    if (items.length === 0) this.#acknowledge(sent);
    const wasFull = this.#held.length > 0;
    for (const [index, item] of items.entries()) {
      const held = { item, sent, index };
      if (this.#held.length > 0) this.#held.push(held);
      else if (this.#offerOne(held)) continue;
      sent.held++;
    }
    this.#flush();
    if (sent.held === 0 || this.#closed) return false;
    this.#heldBytes += bytes;
    if (!wasFull) this.#line.send({ type: "credit", readings: 0 });
    return true;
  }

  /** Resolves when not so much waits for room any more, with `bytesMax` of it at most. */
  async room(bytesMax = heldBytesMax): Promise<void> {
    while (!this.#closed && this.#heldBytes > bytesMax) {
      this.#roomy = Promise.withResolvers();
      await this.#roomy.promise;
    }
  }

  /** Takes no more; the connection ends when what was taken is acknowledged. */
  drain(): void {
    this.#draining = true;
    this.#line.send({ type: "credit", readings: 0 });
    this.#endIfDrained();
  }

  /** The connection has ended. */
  close(): void {
    this.#closed = true;
    this.#intake.forget(this);
    for (const { sent } of this.#held.splice(0)) sent.release();
    this.#heldBytes = 0;
    this.#roomy?.resolve();
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
    if (this.#closed) { for (const { sent } of held.concat(this.#held.splice(0))) sent.release(); }
    else if (this.#held.length === 0 && !this.#draining) {
      this.#line.send({ type: "credit", readings: stationCredit });
    }
  }

  #release({ bytes, release }: Sent): void {
    this.#heldBytes -= bytes;
    release();
    this.#roomy?.resolve();
  }

  #flush(): void {
    if (this.#intake.flush()) return;
    const detail = "messages could not be kept for subscribers who are away; send again";
    this.#line.close("tryAgain", detail);
  }

  /** False: there is no room, and it is held. */
  #offerOne(held: Held): boolean {
    const { item: { topic, bytes, start, end, problem }, sent } = held;
    const name = encoder.encode(topic);
    const both = new Uint8Array(name.length + end - start);
    both.set(name);
    both.set(bytes.subarray(start, end), name.length);
    const offer = this.#offer;
    offer.bytes = both;
    offer.topicEnd = offer.payloadStart = name.length;
    offer.payloadEnd = both.length;
    const { hash } = sent;
    this.originHash = hash ?? 0;
    offer.flags = hash === undefined ? 0 : offerFlags.dup;
    offer.packetId = hash === undefined ? 0 : held.index + 1;
    offer.sequence = ++this.#sequence;
    const { claims } = this;
    const refused = problem ??
      (claims === undefined || maySend(claims, topic) ? undefined : notPermitted);
    if (refused !== undefined) {
      const rejection: Rejection = { outcome: "refused", ...refused };
      this.#intake.deny(this, offer, rejection);
      this.#decided(held, rejection);
      return true;
    }
    const result = this.#intake.offer(this, offer);
    if (result === "full") {
      this.#held.push(held);
      return false;
    }
    // Of the frame itself nothing is kept any more.
    if (result === "accepted") this.#offered.set(offer.sequence, { sent, index: held.index });
    else this.#decided(held, result);
    return true;
  }

  #hashOf(id: FrameId): number {
    return this.#hash(`${this.claims?.name ?? ""}\n${this.station}\n${id}`);
  }

  #decided({ sent, index }: Place, rejection: Rejection | undefined): void {
    if (rejection !== undefined) sent.rejected.push({ index, ...rejection });
    if (--sent.waiting === 0) this.#acknowledge(sent);
  }

  #acknowledge({ id, number, rejected }: Sent): void {
    this.#line.send({
      type: "ack",
      ...(id === undefined ? { number } : { id }),
      ...(rejected.length === 0 ? {} : { rejected }),
    });
  }

  #endIfDrained(): void {
    if (this.#draining && this.#offered.size + this.#held.length === 0) {
      this.#line.close("goingAway", "the service is shutting down");
    }
  }
}
