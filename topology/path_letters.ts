/**
 * The dead letters of a shard, opened, with those of shards that are no more.
 *
 * @module
 */
import { adoptLetters } from "../actors/dead_letters/adoption.ts";
import { DeadLetterLog } from "../actors/dead_letters/dead_letter_log.ts";
import type { DeadLetterOptions } from "../actors/dead_letters/dead_letter_options.ts";
import { diskFiles } from "../actors/segment_log/disk_files.ts";
import type { RecoveryReport } from "../actors/segment_log/segment_log.ts";
import { logger } from "../gateways/log/log.ts";
import { systemClock } from "../runtime/clock.ts";
import { random32 } from "../runtime/random.ts";
import { dataPaths } from "./data_directory.ts";
import { letterNotice } from "./letter_notice.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("path");
const clock = systemClock;

/** `counters`: by metric name. `stage` is told what is being read. Rejects what the disk does. */
export async function openLetters(
  { config, shard, shards, orphanLetters }: ShardInit,
  counters: Record<string, number>,
  stage: (stage: string) => void,
): Promise<{ log: DeadLetterLog; report: RecoveryReport }> {
  stage("its dead letters are read");
  const options: DeadLetterOptions = {
    files: diskFiles,
    directory: `${dataPaths(config.dataDir).deadLetters}/${shard}`,
    bytesMax: Math.ceil(config.deadLetters.bytesMax / shards),
    now: () => clock.now(),
    random32,
    added: letterNotice(clock),
    dropped: (count) => {
      counters["sluice_dead_letters_dropped_total"]! += count;
      log.warn(
        "dead letters were given up: deadLetters.bytesMax is reached, or their files are gone or damaged",
        { count },
      );
    },
    trouble: (action, cause) => {
      log.warn("something on the disk failed; it is tried again", { action, cause });
    },
  };
  const opened = await DeadLetterLog.open(options);
  for (const directory of orphanLetters) {
    stage(`the dead letters in ${directory} are taken over`);
    await takeOver(opened.log, { ...options, directory });
  }
  return opened;
}

/** Without the disk for it, or what is in it, they stay where they are: readings come first. */
async function takeOver(own: DeadLetterLog, from: DeadLetterOptions): Promise<void> {
  const { directory } = from;
  try {
    const letters = await adoptLetters(own, from);
    log.info("took over the dead letters of a shard that is no more", { directory, letters });
  } catch (cause) {
    log.warn(
      "cannot take over the dead letters of a shard that is no more: they stay where they are, are " +
        "not listed, and are tried again at the next start",
      { directory, cause },
    );
  }
}
