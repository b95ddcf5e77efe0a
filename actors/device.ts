/**
 * One device: the single place where its readings are ordered, told apart, validated and
 * remembered. Pure domain: no clock, no runtime, no I/O; time comes with the readings.
 *
 * A reading that names its own time or sequence number is a duplicate when an equal payload came
 * on the same topic before. One that does not can only be told by its packet identifier, and only
 * when the sender says that it sends again (DUP): two equal values in a row are two readings.
 *
 * @module
 */
import type { PayloadDecoder } from "./decode.ts";
import type { CodeStateError } from "./code_state.ts";
import { type CodeStateRoom, CodeStates } from "./code_state_room.ts";
import type { ChangeCounter } from "./device_changes.ts";
import type { CodePoint, DeviceCode, DeviceCodeRunner } from "./device_code.ts";
import { LastValues, type ShapeTable } from "./device_values.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { FingerprintWindow, type WindowRoom } from "./fingerprint_window.ts";
import { offerFlags } from "./intake.ts";
import { appendPoints } from "./line_protocol_points.ts";
import type { DeviceOutlet, Reading } from "./reading.ts";
import type { GroupDevice } from "./spool/commit_group.ts";

/** What the devices of a shard share. */
export interface DeviceTools {
  readonly shapes: ShapeTable;
  readonly fingerprint: Fingerprint;
  readonly codeRunner: DeviceCodeRunner;
  /** For what their code keeps. */
  readonly codeRoom: CodeStateRoom;
  readonly changes: ChangeCounter;
  /** For fingerprints that are not young any more. */
  readonly windowRoom: WindowRoom;
  /** A larger payload is a dead letter. */
  readonly payloadBytesMax: number;
  /** Sees every reading that was decoded, before its fate is known: for logs and live views. */
  readonly onDecoded?: (reading: Reading, decoder: PayloadDecoder) => void;
  /** The same for code, with what it made of the reading. */
  readonly onCoded?: (reading: Reading, points: readonly CodePoint[]) => void;
}

/** The last thing that went wrong with a device. */
export interface DeviceError {
  readonly reason: string;
  readonly detail: string;
  /** Wall time, ms since the epoch. */
  readonly atMs: number;
}

/** See the module. */
export class Device implements GroupDevice {
  groupNo = 0;
  slot = 0;
  /** The number of its last change by a reading; 0: none since the start. */
  changeNo = 0;
  /** When the last reading came, in steady time, ms; 0: none yet. */
  lastSeenMs = 0;
  accepted = 0;
  duplicates = 0;
  refused = 0;
  deadLettered = 0;
  lastError: DeviceError | undefined;
  readonly values: LastValues;
  /** Present once there was something to remember. */
  window: FingerprintWindow | undefined;
  /** What its code keeps; present once there was something. */
  codeStates: CodeStates | undefined;
  /** The last time that was given to a reading without one of its own. */
  arrivalMs = 0;
  arrivalNs = 0;
  readonly #tools: DeviceTools;

  constructor(readonly id: string, tools: DeviceTools) {
    this.#tools = tools;
    this.values = new LastValues(tools.shapes);
  }

  /** A reading of this device that was made durable before: it is known should it come again. */
  remember(fingerprintHi: number, fingerprintLo: number, nowMs: number): void {
    if (fingerprintHi === 0 && fingerprintLo === 0) return;
    this.window ??= new FingerprintWindow(this.#tools.windowRoom);
    this.window.add(fingerprintHi, fingerprintLo, nowMs);
  }

  /**
   * A reading of this device was made durable at `committedMs` and may have been given a time of
   * arrival up to then: no later one gets such a time, though the clock was set back meanwhile.
   */
  recovered(
    fingerprintHi: number,
    fingerprintLo: number,
    committedMs: number,
    seenMs = committedMs,
  ): void {
    // One that is there twice would push another one out.
    if (!this.window?.has(fingerprintHi, fingerprintLo)) {
      this.remember(fingerprintHi, fingerprintLo, committedMs);
    }
    if (this.lastSeenMs < seenMs) this.lastSeenMs = seenMs;
    if (this.arrivalMs < committedMs) {
      this.arrivalMs = Math.ceil(committedMs);
      this.arrivalNs = 0;
    }
  }

  /**
   * Decides the fate of a reading and tells it to the outlet, in one call of it. With `code`, that
   * makes the points. Throws only what the code throws; the outlet's lines are then as before.
   */
  take<R extends Reading>(reading: R, outlet: DeviceOutlet<R>, code?: DeviceCode): void {
    const { batch, entry } = reading;
    // A dead letter that is tried again came long ago.
    if (this.lastSeenMs < batch.seenMs) this.lastSeenMs = batch.seenMs;
    this.changeNo = this.#tools.changes.next(batch.seenMs);
    if (entry.unwritable) {
      this.#die(reading, outlet, "unwritable_name", "a name made of the topic ends in a backslash");
      return;
    }
    const { payloadBytesMax } = this.#tools;
    if (reading.end - reading.start > payloadBytesMax) {
      const detail = `the payload is larger than ${payloadBytesMax} bytes ` +
        `(limits.payloadBytesMax); its beginning is kept`;
      this.#die(reading, outlet, "payload_too_large", detail);
      return;
    }
    if (code !== undefined) {
      this.#takeByCode(reading, outlet, code);
      return;
    }
    const { decoder } = entry.route;
    const outcome = decoder.decode(batch.data, reading.start, reading.end, entry);
    if (outcome === "dead") {
      this.#die(reading, outlet, decoder.reason, decoder.detail);
      return;
    }
    this.#tools.onDecoded?.(reading, decoder);
    if (outcome === "nothing") {
      this.#refuse(reading, outlet, decoder.reason, decoder.detail);
      return;
    }
    if (this.#isDuplicate(reading, decoder.isIdentified)) {
      this.#repeat(reading, outlet);
      return;
    }
    const { hasTime, time } = decoder;
    if (!hasTime) this.#nextArrival(batch.arrivalMs);
    const ms = hasTime ? time.ms : this.arrivalMs;
    const ns = hasTime ? time.ns : this.arrivalNs;
    appendPoints(outlet.lines(), entry, decoder, batch.data, ms, ns);
    this.#keepValues(decoder, Math.min(ms, batch.arrivalMs));
    this.#accept(reading, outlet, decoder.fields.count);
  }

  /** What the code of that route kept before. */
  restoreState(route: string, text: string): void {
    this.codeStates ??= new CodeStates(this.#tools.codeRoom);
    this.codeStates.restore(route, text);
  }

  /** Gives back the room that it shares with others. Whoever drops it does so. */
  release(): void {
    this.window?.release();
    this.codeStates?.release();
  }

  /** The actor around it crashed: a reading was lost to that, and became a dead letter. */
  crashed(detail: string, atMs: number): void {
    this.deadLettered++;
    this.lastError = { reason: "actor_crashed", detail, atMs };
  }

  #takeByCode<R extends Reading>(reading: R, outlet: DeviceOutlet<R>, code: DeviceCode): void {
    const { onCoded, codeRunner } = this.#tools;
    if (this.#isDuplicate(reading, false)) {
      onCoded?.(reading, []);
      this.#repeat(reading, outlet);
      return;
    }
    this.#nextArrival(reading.batch.arrivalMs);
    const emitted: CodePoint[] | undefined = onCoded && [];
    const points = codeRunner.run(
      code,
      reading,
      outlet.lines(),
      this.arrivalMs,
      this.arrivalNs,
      this.values,
      emitted,
    );
    const { state } = codeRunner;
    if (emitted !== undefined) onCoded?.(reading, emitted);
    if (points > 0) {
      this.#accept(reading, outlet, points);
    } else {
      this.#refuse(reading, outlet, "no_fields", "");
    }
    this.#keepState(reading, state);
  }

  #keepState({ entry, batch }: Reading, state: string | CodeStateError | undefined): void {
    if (state === undefined) return;
    const { codeRoom } = this.#tools;
    const route = entry.route.name;
    this.codeStates ??= new CodeStates(codeRoom);
    const refusal = typeof state === "string" ? this.codeStates.keep(route, state) : state;
    if (refusal === undefined) return;
    codeRoom.refuse(this.id, route, refusal);
    const { message: detail } = refusal;
    this.lastError = { reason: "state_not_kept", detail, atMs: batch.arrivalMs };
  }

  #accept<R extends Reading>(reading: R, outlet: DeviceOutlet<R>, points: number): void {
    const { hi, lo } = this.#tools.fingerprint;
    this.remember(hi, lo, reading.batch.seenMs);
    this.accepted++;
    outlet.points(reading, this, hi, lo, points);
  }

  #repeat<R extends Reading>(reading: R, outlet: DeviceOutlet<R>): void {
    const { hi, lo } = this.#tools.fingerprint;
    this.duplicates++;
    outlet.duplicate(reading, hi, lo);
  }

  #refuse<R extends Reading>(
    reading: R,
    outlet: DeviceOutlet<R>,
    reason: string,
    detail: string,
  ): void {
    this.refused++;
    // Without a detail that is as it should be: the route, or its code, leaves such readings out.
    if (detail !== "") this.lastError = { reason, detail, atMs: reading.batch.arrivalMs };
    outlet.refused(reading, reason);
  }

  #die<R extends Reading>(
    reading: R,
    outlet: DeviceOutlet<R>,
    reason: string,
    detail: string,
  ): void {
    this.deadLettered++;
    this.lastError = { reason, detail, atMs: reading.batch.arrivalMs };
    outlet.dead(reading, reason, detail);
  }

  /** Computes the fingerprint and looks for it. `isIdentified`: the payload alone tells. */
  #isDuplicate(reading: Reading, isIdentified: boolean): boolean {
    const { fingerprint } = this.#tools;
    const { batch, start, end, flags, packetId, originHash, entry } = reading;
    const { topicHash } = entry;
    if (isIdentified) fingerprint.of(batch.data, start, end, topicHash, 0);
    else if (packetId !== 0) {
      fingerprint.of(batch.data, start, end, topicHash, originHash ^ packetId);
    } else {
      fingerprint.clear();
      return false;
    }
    return (isIdentified || (flags & offerFlags.dup) !== 0) && this.window !== undefined &&
      this.window.has(fingerprint.hi, fingerprint.lo);
  }

  /** A time of arrival that no reading of this device has had. */
  #nextArrival(nowMs: number): void {
    const ms = Math.floor(nowMs);
    const ns = Math.floor((nowMs - ms) * 1e6);
    if (ms > this.arrivalMs || (ms === this.arrivalMs && ns > this.arrivalNs)) {
      this.arrivalMs = ms;
      this.arrivalNs = ns;
    } else if (++this.arrivalNs === 1e6) {
      this.arrivalMs++;
      this.arrivalNs = 0;
    }
  }

  #keepValues(decoder: PayloadDecoder, timeMs: number): void {
    const { fields } = decoder;
    let place = 0;
    for (let i = 0; i < fields.count; i++) {
      const value = fields.values[i]!;
      if (!Number.isNaN(value)) {
        place = this.values.set(place, fields.names[i]!.name, value, timeMs);
      }
    }
  }
}
