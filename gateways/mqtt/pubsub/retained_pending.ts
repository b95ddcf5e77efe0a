/**
 * Retained messages that are to be written, and how many more or fewer their owners have by them.
 *
 * @module
 */
import type { RetainedRecord } from "./retained_file.ts";

/** See the module. Nobody, as an owner, is `""`. */
export class RetainedPending {
  /** By topic; `null`: to be deleted. */
  readonly #records = new Map<string, RetainedRecord | null>();
  /** Topics of which nobody has asked yet whose they are in the file. */
  readonly #uncounted = new Set<string>();
  readonly #gains = new Map<string, number>();
  /** How many of them may be new ones of their owner. */
  readonly #gainsMax = new Map<string, number>();
  #bytes = 0;

  get records(): ReadonlyMap<string, RetainedRecord | null> {
    return this.#records;
  }

  /** Of all that was put, that which something else has replaced since included. */
  get bytes(): number {
    return this.#bytes;
  }

  put(topic: string, record: RetainedRecord | null): void {
    const owner = record?.owner ?? "";
    if (this.#records.has(topic) && !this.#uncounted.has(topic)) {
      this.#moved(this.#records.get(topic)?.owner ?? "", owner);
    } else {
      this.#uncounted.add(topic);
    }
    this.#records.set(topic, record);
    this.#bytes += record?.bytes.length ?? 0;
    if (owner !== "") add(this.#gainsMax, owner, 1);
  }

  /** `undefined`: nothing is to be written for the topic. */
  ownerOf(topic: string): string | undefined {
    const record = this.#records.get(topic);
    return record === undefined ? undefined : record?.owner ?? "";
  }

  /** It has no more than so many more by this. */
  gainMax(owner: string): number {
    return this.#gainsMax.get(owner) ?? 0;
  }

  /** How many more it has. Asks once for each topic whose it is in the file. */
  gain(owner: string, ownerInFile: (topic: string) => string): number {
    for (const topic of this.#uncounted) {
      this.#moved(ownerInFile(topic), this.#records.get(topic)?.owner ?? "");
    }
    this.#uncounted.clear();
    return this.#gains.get(owner) ?? 0;
  }

  clear(): void {
    this.#records.clear();
    this.#uncounted.clear();
    this.#gains.clear();
    this.#gainsMax.clear();
    this.#bytes = 0;
  }

  #moved(from: string, to: string): void {
    add(this.#gains, from, -1);
    add(this.#gains, to, 1);
  }
}

function add(counts: Map<string, number>, owner: string, count: number): void {
  counts.set(owner, (counts.get(owner) ?? 0) + count);
}
