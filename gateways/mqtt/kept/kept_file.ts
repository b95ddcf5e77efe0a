/**
 * The file of kept sessions, as SQLite has it: who subscribed to what, what waits for whom, and how
 * far each handshake has come. All shards share it, and each sees what any of them committed.
 *
 * @module
 */
import { KeptDatabase } from "./kept_database.ts";
import type { GivenUp } from "./kept_left.ts";
import type { KeptSettings } from "./kept_options.ts";
import { KeptLives } from "./kept_lives.ts";
import { KeptQueues } from "./kept_queues.ts";
import { KeptRecords } from "./kept_records.ts";

/** See the module. Everything in it throws what SQLite throws. */
export class KeptFile {
  readonly records: KeptRecords;
  readonly queues: KeptQueues;
  readonly lives: KeptLives;
  readonly #database: KeptDatabase;

  /** Opens or makes the file. `givenUp` hears of messages that waited for sessions which ended. */
  constructor(
    { file, busyMs }: Pick<KeptSettings, "file" | "busyMs">,
    givenUp: (what: GivenUp) => void,
  ) {
    const database = this.#database = new KeptDatabase(file, busyMs);
    this.records = new KeptRecords(database);
    this.queues = new KeptQueues(database);
    this.lives = new KeptLives(database, this.queues, givenUp);
  }

  close(): void {
    this.#database.close();
  }
}
