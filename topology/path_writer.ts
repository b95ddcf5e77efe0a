/**
 * The writer of a shard, between its spool and its sink.
 *
 * @module
 */
import type { DeadLetterLog } from "../actors/dead_letters/dead_letter_log.ts";
import type { Sink } from "../actors/sink.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import type { Spool } from "../actors/spool/spool.ts";
import type { Writer } from "../actors/writer/writer.ts";
import { WriterActor, type WriterMessage } from "../actors/writer/writer_actor.ts";
import type { Config } from "../config.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { ShardLimits } from "./limits.ts";
import type { PathEvents } from "./path_events.ts";
import { keepMs } from "./path_storage.ts";

/** Records the writer may be told of before it looks: their bytes are its own to bound. */
const mailboxMax = 1 << 16;

const clock = systemClock;

export interface PathWriterOptions {
  readonly system: ActorSystem;
  readonly config: Config;
  readonly limits: ShardLimits;
  readonly sink: Sink;
  readonly spool: Spool;
  /** Take the lines that the store refuses. */
  readonly letters: DeadLetterLog;
  readonly events: PathEvents;
  readonly requestCommit: () => void;
  /** Completed with the next commit. */
  readonly onDurable: (completion: Completion) => void;
  readonly started: (writer: Writer) => void;
}

/** Starts it. */
export function spawnWriter(options: PathWriterOptions): ActorRef<WriterMessage> {
  const { system, config, limits, sink, spool, letters, events, onDurable, started } = options;
  return system.spawn<WriterMessage>({
    id: "writer",
    mailbox: { countMax: mailboxMax },
    start: (context) =>
      new WriterActor({
        sink,
        spool,
        clock,
        random: Math.random,
        batch: {
          countMax: config.store.batchReadingsMax,
          bytesMax: config.store.batchBytesMax,
          ageMaxMs: config.store.batchAgeMs,
        },
        liveBytesMax: limits.liveBytes,
        keepMs: keepMs(config),
        events,
        bury: (line, word, detail) => {
          letters.add({
            form: "lines",
            topic: line.device,
            payload: line.lines,
            arrivalMs: clock.now(),
            transport: "recovery",
            reason: word,
            detail,
          });
          options.requestCommit();
        },
        onDurable,
        started,
      }, context),
  });
}
