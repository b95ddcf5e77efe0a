/**
 * What the main thread asks of a shard, and how both sides read it. Questions go to the actor that
 * a shard publishes as {@linkcode controlName}.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type {
  ActorQuery,
  DeadLetterQuery,
  DeviceQuery,
  ReplayChoice,
} from "../gateways/http/control.ts";
import type { ChangesQuery } from "../gateways/http/live/source.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { isFields } from "../runtime/fields.ts";
import { isRef } from "../runtime/remote_ref.ts";
import { type GuardInit, isGuardInit } from "./guard.ts";

export const controlName = "control";

/** What a shard's Worker starts with. */
export interface ShardInit {
  readonly shard: number;
  readonly shards: number;
  readonly config: Config;
  readonly gatewayId: string;
  readonly ledgerMemory: SharedArrayBuffer;
  /** Where to note whose code runs. */
  readonly codeTrace: SharedArrayBuffer;
  /** Devices whose code is not to be run: see topology/code_suspects.ts. */
  readonly suspects: readonly string[];
  /** Shared by the spools of all shards: see actors/spool/disk_pressure.ts. */
  readonly diskPressure: SharedArrayBuffer;
  /** Shared by the spools of all shards: see actors/spool/owed_elsewhere.ts. */
  readonly owedElsewhere: SharedArrayBuffer;
  /** Where to say that the spool takes nothing: see actors/spool/stalls.ts. */
  readonly stalls: SharedArrayBuffer;
  readonly guard: GuardInit;
  /** The readings in the spool are in the books of the incarnation before. */
  readonly adopts: boolean;
  /** Spools of shards that are no more. */
  readonly orphans: readonly string[];
  /** Dead letters of shards that are no more. */
  readonly orphanLetters: readonly string[];
  /** Salts of segments whose readings the saved states of devices know. */
  readonly told: readonly number[];
  readonly mqtt: { readonly hostname: string; readonly port: number } | undefined;
  readonly mqttTls: { readonly hostname: string; readonly port: number } | undefined;
  /** Socket by which MQTT over WebSocket comes from the HTTP edge. */
  readonly sessionPath: string | undefined;
  /** Indexes into `config.broker.urls`: the broker connections this shard owns. */
  readonly brokers: readonly number[];
}

export type ShardQuestion =
  | { readonly kind: "snapshot" }
  /** How many readings were found in the spool at start. */
  | { readonly kind: "recovered" }
  | { readonly kind: "devices"; readonly query: DeviceQuery }
  | { readonly kind: "device"; readonly id: string }
  /** Give a quarantined device another chance. */
  | { readonly kind: "release"; readonly id: string }
  /** The devices that changed after an earlier answer, and how many there are then. */
  | { readonly kind: "changes"; readonly query: ChangesQuery }
  | { readonly kind: "actors"; readonly query: ActorQuery }
  | { readonly kind: "dead_letters"; readonly query: DeadLetterQuery }
  | { readonly kind: "replay_dead_letters"; readonly choice: ReplayChoice }
  /** What its edges refused, by topic. */
  | { readonly kind: "refused_topics" }
  /** What the server says of itself below `$SYS`, by topic. */
  | { readonly kind: "announce"; readonly values: Readonly<Record<string, string>> }
  /** Look now at the files that may change while it runs. */
  | { readonly kind: "reload" }
  /** Open the listeners: every shard is ready. */
  | { readonly kind: "listen" }
  /** Take nothing more, and settle and acknowledge what is in flight. */
  | { readonly kind: "drain" }
  /** Write the spool to the store, up to the deadline. */
  | { readonly kind: "flush"; readonly deadlineMs: number };

export type ShardQuestionKind = ShardQuestion["kind"];

/** A question on its way. The answer is any value that crosses Workers, or an error's text. */
export interface ShardAsk {
  readonly question: ShardQuestion;
  readonly replyTo: ActorRef<ShardReply>;
}

export type ShardReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

/** Our own main thread is the only one that asks: the kind decides what the rest is. */
function isQuestion(value: unknown): value is ShardQuestion {
  if (!isFields(value)) return false;
  switch (value.kind) {
    case "snapshot":
    case "recovered":
    case "refused_topics":
    case "reload":
    case "listen":
    case "drain":
      return true;
    case "announce":
      return isFields(value.values);
    case "flush":
      return typeof value.deadlineMs === "number";
    case "device":
    case "release":
      return typeof value.id === "string";
    case "devices":
    case "changes":
    case "actors":
    case "dead_letters":
      return isFields(value.query);
    case "replay_dead_letters":
      return isFields(value.choice);
    default:
      return false;
  }
}

/** @throws {TypeError} when it is no question. */
export function parseAsk(message: unknown): ShardAsk {
  if (isFields(message) && isQuestion(message.question) && isRef(message.replyTo)) {
    return { question: message.question, replyTo: message.replyTo };
  }
  throw new TypeError("Cannot read the question to a shard: wrong shape");
}

/** @throws {Error} with the shard's own words when it could not answer. */
export function parseReply(reply: unknown): unknown {
  if (isFields(reply) && reply.ok === true) return reply.value;
  if (isFields(reply) && typeof reply.error === "string") throw new Error(reply.error);
  throw new TypeError("Cannot read the answer of a shard: wrong shape");
}

/** Structured clone made it, on our own orders: what is checked is that it is one at all. */
export function parseShardInit(value: unknown): ShardInit {
  if (isShardInit(value)) return value;
  throw new TypeError("Cannot start a shard: its orders have the wrong shape");
}

function isShardInit(value: unknown): value is ShardInit {
  return isFields(value) && typeof value.shard === "number" && typeof value.shards === "number" &&
    isFields(value.config) && typeof value.gatewayId === "string" &&
    value.ledgerMemory instanceof SharedArrayBuffer &&
    value.codeTrace instanceof SharedArrayBuffer &&
    value.diskPressure instanceof SharedArrayBuffer &&
    value.owedElsewhere instanceof SharedArrayBuffer &&
    value.stalls instanceof SharedArrayBuffer && isGuardInit(value.guard);
}
