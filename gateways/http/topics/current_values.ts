/**
 * What the value of a topic is now, and whether the conditions of a request hold for it.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { mayUse } from "../../auth/api_guard.ts";
import { mayReadDevice } from "../../auth/permissions.ts";
import type { Claims } from "../../auth/token.ts";
import type { RetainedSource } from "../../mqtt/pubsub/retained_feed.ts";
import { isConditional, verdictOf } from "../conditions.ts";
import type { DeviceView } from "../control.ts";
import { preconditionFailed, Problem } from "../problem.ts";
import { tagOf, type TopicValue, valueOf } from "./topic_value.ts";
import type { Watches } from "./watches.ts";

/** Where the values of a topic's device are. */
export interface TopicDevices {
  /** The id of the device whose readings come by a topic; `undefined`: no route takes it. */
  idOf(topic: string): string | undefined;
  find(topic: string): Promise<DeviceView | undefined>;
}

export interface CurrentValuesParts {
  readonly retained: RetainedSource;
  readonly watches: Pick<Watches, "of">;
  readonly devices: TopicDevices;
  readonly clock: Clock;
}

/** See the module. */
export class CurrentValues {
  readonly #parts: CurrentValuesParts;

  constructor(parts: CurrentValuesParts) {
    this.#parts = parts;
  }

  /**
   * What is retained, else what was seen last, else the values of the topic's device.
   *
   * @throws {Problem} `unavailable`.
   */
  async of(topic: string, claims: Claims | undefined): Promise<TopicValue | undefined> {
    const message = this.#message(topic);
    return message === "none" ? await this.#device(topic, claims) : message;
  }

  /**
   * Gets ready to decide on the conditions of a request that is to change the topic. What it gives
   * decides at once, so that the change can be made in the same turn: both throw `Problem`s.
   * `wanted` is the tag of the value after the change.
   */
  async conditions(
    request: Request,
    topic: string,
    claims: Claims | undefined,
    wanted?: string,
  ): Promise<() => void> {
    if (!isConditional(request.headers)) return () => {};
    // The answer tells of the value.
    if (claims !== undefined && !mayUse(claims.permissions, "topic-read", topic)) {
      throw new Problem(
        "forbidden",
        `the account ${claims.name} may not read this topic, so it cannot ask what its value is`,
      );
    }
    const device = this.#message(topic) === "none" ? await this.#device(topic, claims) : undefined;
    return () => {
      const message = this.#message(topic);
      const value = message === "none" ? device : message;
      const current = value && { tag: tagOf(value), atMs: value.atMs };
      if (verdictOf(request, current, wanted) !== "go") throw preconditionFailed();
    };
  }

  /** Whether a message is kept for the topic. */
  isRetained(topic: string): boolean {
    const { retained, clock } = this.#parts;
    return retained.page(topic, undefined, clock.now()).messages.length > 0;
  }

  /** `undefined`: it was cleared or has expired; `none`: none since the topic was first asked for. */
  #message(topic: string): TopicValue | "none" | undefined {
    const { retained, watches, clock } = this.#parts;
    const nowMs = clock.now();
    const { messages: [message], failed } = retained.page(topic, undefined, nowMs);
    const seen = watches.of(topic)?.last;
    if (message !== undefined) return valueOf("retained", message);
    if (seen === undefined) {
      if (failed === true) throw unavailable("what is retained cannot be read now");
      return "none";
    }
    return seen.message.expired(nowMs) || isClearing(seen.message)
      ? undefined
      : valueOf("last", seen.message, seen.atMs);
  }

  /** A device may have values that came by other topics: who asks must be granted the device. */
  async #device(topic: string, claims: Claims | undefined): Promise<TopicValue | undefined> {
    const { devices } = this.#parts;
    const id = devices.idOf(topic);
    if (id === undefined || (claims && !mayReadDevice(claims.permissions, id))) return undefined;
    const device = await devices.find(topic).catch(() => {
      throw unavailable("the shard of the topic's device does not answer now");
    });
    if (device === undefined || Object.keys(device.values).length === 0) return undefined;
    const payload = new TextEncoder().encode(JSON.stringify(device.values));
    return { from: "device", payload, contentType: "application/json", atMs: device.lastSeenMs };
  }
}

const isClearing = ({ payload, retain }: { payload: Uint8Array; retain: boolean }): boolean =>
  retain && payload.length === 0;

const unavailable = (detail: string): Problem =>
  new Problem("unavailable", detail, {}, { "retry-after": "5" });
