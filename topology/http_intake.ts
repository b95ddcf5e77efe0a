/**
 * Readings that come over HTTP on their way to the shards: to these the edge is one more sender,
 * with a lane to each and books of its own.
 *
 * @module
 */
import { emptySnapshot } from "../actors/empty_snapshot.ts";
import { IntakeHub } from "../actors/intake_hub.ts";
import { Ledger } from "../actors/ledger.ts";
import type { Rates } from "../actors/rates/rates.ts";
import type { TopicEntry } from "../actors/reading.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { Stalls } from "../actors/spool/stalls.ts";
import { spawnTopicSweep } from "../actors/topic_sweep.ts";
import { TopicTable } from "../actors/topic_table.ts";
import { logger } from "../gateways/log/log.ts";
import { systemClock } from "../runtime/clock.ts";
import { random32 } from "../runtime/random.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { setImmediate } from "node:timers";
import type { HttpInit } from "./http_init.ts";
import { type PeerHandlers, PeerLinks } from "./peer_links.ts";

const log = logger("http");
const clock = systemClock;
const utf8 = new TextEncoder();
const drainPollMs = 5;

/** See the module. */
export class HttpIntake {
  readonly hub: IntakeHub;
  readonly #shards: number;
  readonly #ledger: Ledger;
  readonly #topics: TopicTable;
  readonly #stalls: Stalls;
  readonly #peers: PeerLinks;
  #malformed = 0;

  constructor(
    { shards, config, gatewayId, ledgerMemory, stalls }: HttpInit,
    routes: readonly CompiledRoute[],
    laneBytes: number,
    rates: Rates | undefined,
    system: ActorSystem,
  ) {
    this.#shards = shards;
    this.#ledger = new Ledger(ledgerMemory);
    this.#stalls = new Stalls(stalls);
    this.#topics = new TopicTable(routes, {
      gatewayId,
      entriesMax: config.limits.topicsMax,
      hashSeed: random32(),
    });
    spawnTopicSweep(system, this.#topics, config.device.passivateAfterMs);
    this.hub = new IntakeHub({
      stalled: (owner) => this.#stalls.has(owner),
      shards,
      topics: this.#topics,
      ledger: this.#ledger,
      laneBytes,
      payloadBytesMax: config.limits.payloadBytesMax,
      now: () => clock.now(),
      rates,
      defer: (run) => {
        setImmediate(run);
      },
      transmit: (owner, ackLevel, batch) => this.#peers.transmit(owner, ackLevel, batch),
    });
    this.#peers = new PeerLinks(shards, undefined, this.hub, (shard) => this.#handlersOf(shard));
  }

  /** Whether the spool of some shard takes nothing now. */
  get stalled(): boolean {
    return this.#stalls.any;
  }

  linked(shard: number, link: Link): void {
    this.#peers.linked(shard, link);
  }

  /** What the routes make of a topic; `undefined`: none takes it. */
  entryOf(topic: string): TopicEntry | undefined {
    const bytes = utf8.encode(topic);
    const found = this.#topics.lookup(bytes, 0, bytes.length);
    return found.kind === "topic" ? found : undefined;
  }

  /** Resolves when all that was taken is settled. */
  async settled(): Promise<void> {
    while (this.hub.readings > 0) {
      await new Promise<void>((resolve) => {
        clock.setTimer(drainPollMs, resolve);
      });
    }
  }

  /** The books; who has sessions, and counters of others, completes it. */
  snapshot(): ShardSnapshot {
    const books = this.#ledger.books();
    const { deadLettered, refused } = this.#ledger.reasons();
    return {
      ...emptySnapshot(this.#shards),
      name: "http",
      received: books.received,
      settled: { stored: books.stored, duplicate: books.duplicate, deadLettered, refused },
      inFlight: books.inFlight,
      counters: { sluice_peer_frames_malformed_total: this.#malformed },
      gauges: {
        sluice_lane_bytes: this.hub.usedBytes,
        sluice_topics_known: this.#topics.size,
      },
    };
  }

  #handlersOf(shard: number): PeerHandlers {
    const malformed = (cause: unknown) => {
      this.#malformed++;
      log.error("what a shard sent cannot be read", { from: shard, cause });
    };
    return {
      ingest: () => malformed(new Error("it owns no device, and got readings")),
      settled: () => {},
      malformed,
    };
  }
}
