/**
 * What the tests of kept sessions stand on: shards over one file, clients of theirs, and messages.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { blankOffer } from "../../../actors/intake.ts";
import { readPacket } from "../codec/packet.ts";
import type { Publish, Qos } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { unlimited } from "../pubsub/client_limits.ts";
import type { Outbound } from "../pubsub/outbound.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { PubSubOptions } from "../pubsub/pubsub_options.ts";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import type { KeptAttachment } from "./kept_attachment.ts";
import type { ClaimRequest, WillTime } from "./kept_lives.ts";
import type { KeptPermit, KeptSettings } from "./kept_options.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Settings of so many shards over one file in this directory; a fault of it is thrown. */
export function keptSettings(directory: string, shards: number): KeptSettings {
  return {
    file: `${directory}/sessions.db`,
    busyMs: 20,
    shards,
    first: false,
    countMax: 3,
    queueMessagesMax: 20,
    queueBytesMax: 100_000,
    bytesMax: 1_000_000,
    failed: (cause) => {
      throw cause;
    },
  };
}

/** Shards over one file, which is removed at the end. */
export async function withShards(
  run: (pair: ShardPair) => Promise<void>,
  settings: (directory: string) => Partial<KeptSettings> = () => ({}),
  pubsub: Partial<PubSubOptions> = {},
  shards = 2,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const kept = { ...keptSettings(directory, shards), ...settings(directory) };
  const pair = new ShardPair(shards, { kept, ...pubsub });
  try {
    await run(pair);
  } finally {
    for (const shard of pair.shards) shard.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Shards over one file, and a connection of somebody else's to it. Gives its faults. */
export async function withFile(
  run: (file: DatabaseSync, pair: ShardPair) => Promise<void>,
  settings: Partial<KeptSettings> = {},
): Promise<unknown[]> {
  const faults: unknown[] = [];
  let path = "";
  await withShards(async (pair) => {
    const file = new DatabaseSync(path);
    try {
      await run(file, pair);
    } finally {
      file.close();
    }
  }, (directory) => {
    path = `${directory}/sessions.db`;
    return { failed: (cause) => faults.push(cause), ...settings };
  });
  return faults;
}

/** A client and its connection to one shard. */
export class KeptClient {
  /** Whether its session went on elsewhere (true) or was over; `undefined`: it is connected. */
  evicted: boolean | undefined;
  unreadable = false;
  readonly #pair: ShardPair;
  readonly #pubsub: PubSub;
  readonly #writer = new PacketWriter();
  #attachment: KeptAttachment | undefined;
  #outbound: Outbound | undefined;

  private constructor(pair: ShardPair, pubsub: PubSub) {
    this.#pair = pair;
    this.#pubsub = pubsub;
  }

  static async connect(
    pair: ShardPair,
    pubsub: PubSub,
    request: Partial<ClaimRequest> = {},
    permit?: KeptPermit,
    carry = () => pair.carry(),
  ): Promise<KeptClient> {
    const client = new KeptClient(pair, pubsub);
    const claim = pubsub.kept!.claim(
      {
        key: "k",
        account: "",
        clean: false,
        expiryS: 100,
        will: undefined,
        willDelayS: 0,
        ...request,
      },
      {
        placed() {},
        evicted: (resumed) => client.evicted = resumed,
        unreadable: () => {
          client.unreadable = true;
          pubsub.forget(client.#outbound!);
        },
      },
      permit,
    );
    carry();
    const result = await claim;
    assert.ok(result.kind === "attached");
    const kept = client.#attachment = result.attachment;
    const sink = { writer: client.#writer, waitingBytes: 0, flush() {} };
    client.#outbound = pubsub.open({ version: 5, sink, client: unlimited, kept });
    client.#outbound.pump();
    pubsub.flush();
    return client;
  }

  /** Whether its session was there before. */
  get present(): boolean {
    return this.#attachment!.present;
  }

  get outbound(): Outbound {
    return this.#outbound!;
  }

  get attachment(): KeptAttachment {
    return this.#attachment!;
  }

  leave(will: WillTime = "none", expiryS = 100): void {
    this.#pubsub.forget(this.#outbound!);
    this.#pubsub.kept!.detach(this.#attachment!, { expiryS, will });
    this.#pubsub.flush();
    this.#pair.carry();
  }

  async subscribe(filter: string, qos: Qos): Promise<void> {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const answer = this.#pubsub.subscribe(this.#outbound!, {
      kind: "subscribe",
      packetId: 1,
      subscriptions: [{ filter, qos, ...options }],
      properties: {},
    });
    this.#pair.carry();
    assert.deepEqual(await answer, [qos]);
    this.#outbound!.pump();
  }

  acknowledged(kind: "puback" | "pubrec" | "pubcomp", id: number): void {
    this.#outbound!.acknowledged(kind, id, 0);
    this.#pubsub.flush();
  }

  /** Takes what was written: PUBLISH packets, and identifiers of PUBRELs. */
  taken(): { readonly publishes: Publish[]; readonly releases: number[] } {
    const bytes = this.#writer.bytes.slice(0, this.#writer.length);
    this.#writer.length = 0;
    const publishes: Publish[] = [];
    const releases: number[] = [];
    for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]!) {
      const packet = readPacket(5, bytes[at]!, bytes, at + 2, at + 2 + bytes[at + 1]!);
      if (packet.kind === "publish") publishes.push(packet);
      else if (packet.kind === "pubrel") releases.push(packet.packetId);
    }
    return { publishes, releases };
  }

  payloads(): string[] {
    return this.taken().publishes.map(payloadOf);
  }
}

export const payloadOf = ({ payload }: Pick<Publish, "payload">): string => text.decode(payload);

export interface PublishOptions {
  readonly expiryS?: number | undefined;
  /** One letter. */
  readonly topic?: string;
}

/** Publishes, and carries it to whom it is for. False: it must not be acknowledged. */
export function publish(
  pair: ShardPair,
  pubsub: PubSub,
  payload: string,
  qos: Qos,
  options: PublishOptions = {},
): boolean {
  publishOnly(pubsub, payload, qos, options);
  const kept = pubsub.flush();
  pair.carry();
  return kept;
}

/** Publishes, and neither writes nor sends it. */
export function publishOnly(
  pubsub: PubSub,
  payload: string,
  qos: Qos,
  { expiryS, topic = "a" }: PublishOptions,
): void {
  const bytes = utf8.encode(`${topic}${payload}`);
  const ranges = { topicEnd: 1, payloadStart: 1, payloadEnd: bytes.length };
  const properties = expiryS === undefined ? {} : { messageExpiryIntervalS: expiryS };
  pubsub.publish({ ...blankOffer(), bytes, ...ranges, flags: qos }, properties, undefined);
}
