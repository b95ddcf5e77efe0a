/**
 * Another shard, as seen from this one: it is told what is subscribed to here, and gets the
 * messages that somebody there listens to. What it does not take at once waits, within a bound;
 * interest waits as a state and not as a list, so it is bounded by the subscriptions.
 *
 * @module
 */
import type { TellResult } from "../../../runtime/actor.ts";
import { PacketWriter } from "../codec/writer.ts";
import { type ForwardedPart, partsOf } from "./forwarded_parts.ts";
import { type Forwarded, type PeerMail, writeForwarded } from "./peer_mail.ts";
import type { PubSubStats } from "./pubsub_stats.ts";

/** The way there. */
export interface PeerPort {
  tell(mail: PeerMail): TellResult;
  /** False while so much is under way that readings should go first. */
  hasRoom(): boolean;
}

export interface PeerOptions {
  /** This shard. */
  readonly from: number;
  readonly port: PeerPort;
  /** All that is subscribed to here. */
  readonly interest: ReadonlyMap<string, number>;
  /** What may wait; QoS 0 gets the first half. */
  readonly backlogBytesMax: number;
  readonly stats: PubSubStats;
}

/** A batch goes on when it holds this much. */
const batchBytesMax = 64 * 1024;
/** A link takes no more than 1 MiB at once, with what is around it. */
const linkBytesMax = 1_000 * 1024;
/** A larger message does not cross. */
const messageBytesMax = 900 * 1024;
/** One mail holds as much interest as this. */
const changesMax = 500;
const changeCharsMax = 128 * 1024;

interface Batch {
  readonly bytes: Uint8Array;
  /** Messages in it. */
  readonly count: number;
}

interface Waiter {
  /** Known once everything is sent that has to be. */
  target: number | undefined;
  resolve(): void;
}

/** See the module. */
export class PeerShard {
  readonly #from: number;
  readonly #port: PeerPort;
  readonly #stats: PubSubStats;
  readonly #backlogBytesMax: number;
  /** Names whose count over there is out of date. */
  readonly #changes: Map<string, number>;
  /** Kept sessions the other shard is to read anew, and those something waits for. */
  readonly #sessions = new Set<number>();
  readonly #queued = new Set<number>();
  #reset = true;
  #sent = 0;
  #applied = 0;
  /** Of its interest, what is to be confirmed; 0: nothing. */
  #owed = 0;
  #waiters: Waiter[] = [];
  #open = new PacketWriter();
  #openCount = 0;
  #backlog: Batch[] = [];
  #backlogBytes = 0;

  constructor(options: PeerOptions) {
    this.#from = options.from;
    this.#port = options.port;
    this.#stats = options.stats;
    this.#backlogBytesMax = options.backlogBytesMax;
    this.#changes = new Map(options.interest);
  }

  /** Subscriptions of `name` here have become this many. */
  changed(name: string, count: number): void {
    this.#changes.set(name, count);
  }

  sessionChanged(id: number): void {
    this.#sessions.add(id);
  }

  /** Something waits for a kept session that is connected there. */
  queued(id: number): void {
    this.#queued.add(id);
  }

  /** Resolves when the other shard knows of all that changed; `undefined`: it does. */
  known(): Promise<void> | undefined {
    this.#sendInterest();
    if (!this.#behind && this.#applied === this.#sent) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ target: this.#behind ? undefined : this.#sent, resolve });
    });
  }

  applied(sequence: number): void {
    this.#applied = sequence;
    this.#waiters = this.#waiters.filter(({ target, resolve }) => {
      if (target === undefined || target > sequence) return true;
      resolve();
      return false;
    });
  }

  /** Confirms what the other shard told of its interest, with the next flush. */
  acknowledge(sequence: number): void {
    this.#owed = sequence;
  }

  /** True when it was taken, or some of it; what was not is counted as lost. */
  send(forwarded: Forwarded): boolean {
    let sent = false;
    for (const part of partsOf(forwarded)) if (this.#put(part)) sent = true;
    if (sent) this.#stats.forwarded++;
    return sent;
  }

  #put({ forwarded, bytes }: ForwardedPart): boolean {
    const { lost } = this.#stats;
    const { message } = forwarded;
    if (message.bytes > messageBytesMax) {
      lost.too_large++;
      return false;
    }
    const waiting = this.#backlogBytes + this.#open.length;
    const waitingMax = message.qos === 0 ? this.#backlogBytesMax / 2 : this.#backlogBytesMax;
    if (waiting + bytes > waitingMax) {
      lost.peer_full++;
      return false;
    }
    if (!this.#write(forwarded)) {
      lost.too_large++;
      return false;
    }
    this.#openCount++;
    if (this.#open.length >= batchBytesMax) this.#seal();
    return true;
  }

  /** Into the open batch, or the next one. False, and nothing of it is there, when it cannot be. */
  #write(forwarded: Forwarded): boolean {
    const start = this.#open.length;
    try {
      writeForwarded(this.#open, forwarded);
    } catch (thrown) {
      this.#open.length = start;
      if (!(thrown instanceof RangeError)) throw thrown;
      return false;
    }
    if (this.#open.length > linkBytesMax) this.#seal(start);
    if (this.#open.length <= linkBytesMax) return true;
    this.#open.length = 0; // Its texts are longer than they were taken for.
    return false;
  }

  /** Sends what there is; false when something is left for later. */
  flush(): boolean {
    this.#confirm();
    this.#sendInterest();
    this.#sendQueued();
    this.#seal();
    let sent = 0;
    while (sent < this.#backlog.length && this.#port.hasRoom()) {
      const batch = this.#backlog[sent]!;
      if (!this.#isGone(batch)) break;
      this.#backlogBytes -= batch.bytes.length;
      sent++;
    }
    if (sent > 0) this.#backlog.splice(0, sent);
    return this.#backlog.length === 0 && !this.#behind && this.#owed === 0 &&
      this.#queued.size === 0;
  }

  /** The other shard is gone: nobody needs to wait for it. */
  close(): void {
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters = [];
  }

  get #behind(): boolean {
    return this.#reset || this.#changes.size > 0 || this.#sessions.size > 0;
  }

  /** Also when it is lost: what a link throws at, it would throw at each time. */
  #isGone({ bytes: batch, count }: Batch): boolean {
    try {
      return this.#port.tell({ kind: "messages", from: this.#from, batch }) === "accepted";
    } catch {
      this.#stats.lost.too_large += count;
      return true;
    }
  }

  #confirm(): void {
    if (this.#owed === 0) return;
    const mail = { kind: "applied", from: this.#from, sequence: this.#owed } as const;
    if (this.#port.tell(mail) === "accepted") this.#owed = 0;
  }

  #sendInterest(): void {
    while (this.#behind) {
      const changes = firstOf(this.#changes);
      const sessions = [...this.#sessions].slice(0, changesMax);
      const mail: PeerMail = {
        kind: "interest",
        from: this.#from,
        sequence: this.#sent + 1,
        reset: this.#reset,
        changes,
        sessions,
      };
      if (this.#port.tell(mail) !== "accepted") return;
      this.#sent++;
      this.#reset = false;
      for (const [name] of changes) this.#changes.delete(name);
      for (const id of sessions) this.#sessions.delete(id);
    }
    for (const waiter of this.#waiters) waiter.target ??= this.#sent;
  }

  #sendQueued(): void {
    while (this.#queued.size > 0) {
      const sessions = [...this.#queued].slice(0, changesMax);
      if (this.#port.tell({ kind: "queued", from: this.#from, sessions }) !== "accepted") return;
      for (const id of sessions) this.#queued.delete(id);
    }
  }

  /** What is written before `end` goes on as one; what is behind it becomes the first. */
  #seal(end = this.#open.length): void {
    if (end === 0) return;
    const { bytes: open, length } = this.#open;
    const bytes = open.slice(0, end);
    open.copyWithin(0, end, length);
    this.#open.length = length - end;
    this.#backlog.push({ bytes, count: this.#openCount });
    this.#openCount = 0;
    this.#backlogBytes += bytes.length;
  }
}

function firstOf(changes: ReadonlyMap<string, number>): [string, number][] {
  const first: [string, number][] = [];
  let chars = 0;
  for (const change of changes) {
    chars += change[0].length;
    if (first.length === changesMax || (chars > changeCharsMax && first.length > 0)) break;
    first.push(change);
  }
  return first;
}
