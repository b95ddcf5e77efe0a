/**
 * The path of a reading inside one shard, from the intake to the sink, wired together.
 *
 * @module
 */
import type { DeadLetterLog } from "../actors/dead_letters/dead_letter_log.ts";
import { Histogram } from "../actors/histogram.ts";
import { Ingest, type IngestMessage } from "../actors/ingest.ts";
import { IntakeHub } from "../actors/intake_hub.ts";
import type { SentBatch } from "../actors/lane.ts";
import type { Ledger } from "../actors/ledger.ts";
import { Outlet } from "../actors/outlet.ts";
import { OwnedBatch } from "../actors/owned_batch.ts";
import type { Rates } from "../actors/rates/rates.ts";
import type { AckLevel } from "../actors/readings_frame.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { Sink } from "../actors/sink.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import type { Spool } from "../actors/spool/spool.ts";
import { CommitRequest, SpoolActor, type SpoolMessage } from "../actors/spool/spool_actor.ts";
import { spawnTopicSweep } from "../actors/topic_sweep.ts";
import { TopicTable } from "../actors/topic_table.ts";
import { unhandledReading } from "../actors/unhandled_reading.ts";
import type { Writer } from "../actors/writer/writer.ts";
import type { WriterDrained, WriterMessage } from "../actors/writer/writer_actor.ts";
import type {
  DeadLetterQuery,
  DeadLetterView,
  Page,
  ReplayChoice,
  ReplayResult,
} from "../gateways/http/control.ts";
import { logger } from "../gateways/log/log.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import { random32 } from "../runtime/random.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { setImmediate } from "node:timers";
import type { DataFlowTap } from "./data_flow_tap.ts";
import { deadLetterPage } from "./dead_letter_page.ts";
import { LetterReplays } from "./letter_replays.ts";
import type { ShardLimits } from "./limits.ts";
import type { PathEvents } from "./path_events.ts";
import { openStorage, type PathStorage } from "./path_storage.ts";
import { spawnWriter } from "./path_writer.ts";
import { PeerLink } from "./peer_link.ts";
import { type PeerHandlers, PeerLinks } from "./peer_links.ts";
import { refusalLog } from "./refusal_log.ts";
import type { ShardDevices } from "./shard_devices.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("path");

export interface ReadingPathOptions {
  readonly init: ShardInit;
  readonly limits: ShardLimits;
  readonly routes: readonly CompiledRoute[];
  readonly ledger: Ledger;
  readonly system: ActorSystem;
  readonly sink: Sink;
  readonly rates: Rates | undefined;
  /** Told what is being opened. */
  readonly stage: (stage: string) => void;
}

/** Batches that may wait for the walk: the credit of the lanes bounds their bytes. */
const ingestMax = 1 << 17;

const clock = systemClock;

/** See the module. */
export class ReadingPath {
  readonly hub: IntakeHub;
  readonly spool: Spool;
  readonly letters: DeadLetterLog;
  readonly devices: ShardDevices;
  readonly topics: { readonly size: number };
  readonly settleSeconds = new Histogram();
  readonly storeSeconds: Histogram;
  readonly events: PathEvents;
  /** Counters by metric name. */
  readonly counters: Record<string, number>;
  /** Readings found in the spool at start. */
  readonly recovered: number;
  writer: Writer | undefined;
  readonly #options: ReadingPathOptions;
  readonly #request = new CommitRequest();
  readonly #replays: LetterReplays;
  readonly #peers: PeerLinks;
  /** Readings that came over HTTP. */
  readonly #edge: PeerLink;
  readonly #ingest: ActorRef<IngestMessage>;
  readonly #spoolRef: ActorRef<SpoolMessage>;
  readonly #writerRef: ActorRef<WriterMessage>;

  private constructor(
    options: ReadingPathOptions,
    opened: PathStorage,
  ) {
    const { init, limits, ledger, system, rates } = options;
    const { config, shard } = init;
    this.#options = options;
    this.spool = opened.spool;
    this.letters = opened.letters;
    this.devices = opened.devices;
    this.recovered = opened.recovered;
    this.counters = opened.counters;
    this.events = opened.events;
    this.storeSeconds = opened.storeSeconds;

    const onDurable = (completion: Completion) => {
      this.spool.group.durable.push(completion);
      this.requestCommit();
    };
    this.#spoolRef = system.spawn<SpoolMessage>({
      id: "spool",
      restart: "permanent",
      shutdownMs: config.shutdown.closeMs,
      start: () => new SpoolActor(this.spool, this.#request),
    });
    this.#writerRef = spawnWriter({
      system,
      config,
      limits,
      sink: options.sink,
      spool: this.spool,
      letters: this.letters,
      events: opened.events,
      requestCommit: () => this.requestCommit(),
      onDurable,
      started: (writer) => this.writer = writer,
    });
    opened.live.offer = (record) => this.#writerRef.tell({ kind: "live", record }) === "accepted";

    const topics = new TopicTable(
      options.routes,
      {
        gatewayId: init.gatewayId,
        entriesMax: config.limits.topicsMax, // A shard sees what its edges hear and what it owns.
        hashSeed: random32(),
      },
    );
    spawnTopicSweep(system, topics, config.device.passivateAfterMs);
    this.topics = topics;
    const outlet = new Outlet({
      group: this.spool.group,
      ledger,
      deadLetter: (letter) => this.letters.add(letter),
      requestCommit: (when) => this.#request.ask(this.#spoolRef, when),
      recoveredStored: (deviceId, completion) => this.spool.recoveredStored(deviceId, completion),
      onPoints: rates && ((entry, points) => rates.spentByDevice(entry, points)),
      ...(opened.tap === undefined ? {} : { onNothing: opened.tap.nothing }),
    });
    this.devices.start(outlet, rates, onDurable);
    this.#ingest = this.#spawnIngest(topics, outlet);
    this.#replays = new LetterReplays(this.letters, {
      shard,
      group: this.spool.group,
      ledger,
      ingest: (batch) => this.#take(batch),
      requestCommit: () => this.requestCommit(),
    });
    system.deadLetters.subscribe((letter) => unhandledReading(letter, outlet));
    this.hub = this.#openHub(topics, opened.tap);
    const handlersOf = (from: number) => this.#peerHandlers(from);
    this.#peers = new PeerLinks(init.shards, shard, this.hub, handlersOf);
    const ownsNothing = { ownerLost() {}, ownerBack() {}, settle() {} };
    this.#edge = new PeerLink({
      shard: init.shards,
      hub: ownsNothing,
      ...handlersOf(init.shards),
    });
  }

  /** Opens what the path has on disk, and finds again what was not stored yet. */
  static async open(options: ReadingPathOptions): Promise<ReadingPath> {
    return new ReadingPath(options, await openStorage(options));
  }

  /** A shard is there, for the first time or anew. */
  linked(shard: number, link: Link): void {
    this.#peers.linked(shard, link);
  }

  /** The HTTP edge is there, for the first time or anew: it owns nothing, so nothing goes to it. */
  edgeLinked(link: Link): void {
    this.#edge.linked(link);
  }

  requestCommit(): void {
    this.#request.ask(this.#spoolRef);
  }

  /** Writes what is in memory to the store; what the store does not take stays in the spool. */
  async flush(deadlineMs: number): Promise<boolean> {
    const drained = await this.#options.system.ask<WriterMessage, WriterDrained>(
      this.#writerRef,
      (replyTo) => ({ kind: "drain", replyTo }),
      deadlineMs,
    );
    return drained.complete;
  }

  deadLetters(query: DeadLetterQuery): Promise<Page<DeadLetterView>> {
    return deadLetterPage(this.letters, query);
  }

  replayDeadLetters(choice: ReplayChoice): Promise<ReplayResult> {
    return this.#replays.replay(choice);
  }

  /** The actors have ended. */
  close(): void {
    this.letters.close();
    this.devices.close(this.spool.isClean);
  }

  #spawnIngest(topics: TopicTable, outlet: Outlet): ActorRef<IngestMessage> {
    const { limits, ledger, system } = this.#options;
    return system.spawn<IngestMessage>({
      id: "ingest",
      mailbox: { countMax: ingestMax },
      start: () =>
        new Ingest({
          topics,
          ledger,
          steadyOf: (arrivalMs) => this.devices.seenMs(arrivalMs),
          lines: this.spool.group.lines,
          linesBytesMax: limits.groupBytes,
          deviceOf: (entry) => this.devices.refOf(entry),
          unrouted: (batch, index, reason) => outlet.unrouted(batch, index, reason),
          unclaimed: (reading) =>
            outlet.dead(reading, "device_stopped", "the device's actor is stopped"),
        }),
    });
  }

  #openHub(topics: TopicTable, tap: DataFlowTap | undefined): IntakeHub {
    const { init, limits, ledger, rates } = this.#options;
    const { config, shard } = init;
    return new IntakeHub({
      shards: init.shards,
      topics,
      ledger,
      laneBytes: limits.laneBytes,
      payloadBytesMax: config.limits.payloadBytesMax,
      now: () => clock.now(),
      defer: (run) => {
        setImmediate(run);
      },
      rates,
      onRefused: refusalLog(tap),
      transmit: (owner, ackLevel, batch) => {
        if (owner === shard) this.#takeOwn(ackLevel, batch);
        else this.#peers.transmit(owner, ackLevel, batch);
      },
    });
  }

  #peerHandlers(from: number): PeerHandlers {
    return {
      ingest: (batch) => this.#take(batch),
      settled: (batch) => this.#observe(batch),
      malformed: (cause) => {
        this.#bump("sluice_peer_frames_malformed_total", 1);
        log.error("a frame from another shard cannot be read", { from, cause });
      },
    };
  }

  #takeOwn(ackLevel: AckLevel, batch: SentBatch): void {
    const { shard } = this.#options.init;
    this.#take(
      new OwnedBatch(shard, batch.id, ackLevel, batch.frame, (owned) => {
        this.#observe(owned);
        this.hub.settle(shard, ackLevel, owned.batchId, owned.rejected, owned.points);
      }, batch.entries),
    );
  }

  #take(batch: OwnedBatch): boolean {
    if (this.#ingest.tell(batch) === "accepted") return true;
    // The lanes' credit allows fewer batches than the mailbox holds: only a defect comes here.
    this.#bump("sluice_ingest_overflow_total", 1);
    log.error("a batch found no room at its owner and waits to be sent again", {
      from: batch.from,
    });
    return false;
  }

  #observe(batch: OwnedBatch): void {
    this.settleSeconds.observe(
      Math.max(0, clock.now() - batch.arrivalMs) / 1_000,
      batch.frame.count,
    );
  }

  #bump(name: string, by: number): void {
    this.counters[name] = (this.counters[name] ?? 0) + by;
  }
}
