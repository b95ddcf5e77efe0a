/**
 * Devices whose code took their shard down: it is not run again before the service is stopped and
 * started, or before somebody releases the device, or one bad payload that its sender repeats would
 * take the shard down for ever.
 *
 * @module
 */
import { codeTraceMemory, readCodeTrace } from "../actors/code_trace.ts";

/** Deaths after which code that had returned counts as their cause. */
const strikesMax = 2;

/** By device id: how many deaths it may be to blame for. */
export type Strikes = Readonly<Record<string, number>>;

/** One shard's, over all incarnations of its Worker. */
export class CodeSuspects {
  /** Where the Worker notes whose code it runs. */
  readonly memory = codeTraceMemory();
  readonly #strikes: Map<string, number>;

  /** What is known of an earlier process. */
  constructor(strikes: Strikes = {}) {
    this.#strikes = new Map(Object.entries(strikes));
  }

  /** Those that were found guilty. */
  get list(): readonly string[] {
    return [...this.#strikes].flatMap(([device, strikes]) => strikes >= strikesMax ? [device] : []);
  }

  get strikes(): Strikes {
    return Object.fromEntries(this.#strikes);
  }

  /** The device has another chance, with the next incarnation too. */
  forgive(device: string): void {
    this.#strikes.delete(device);
  }

  /** The Worker is dead: the device that is found guilty, if one newly is. */
  died(): string | undefined {
    const traced = readCodeTrace(this.memory);
    if (traced === undefined) return undefined;
    const { device, running } = traced;
    const before = this.#strikes.get(device) ?? 0;
    if (before >= strikesMax) return undefined;
    const strikes = before + (running ? strikesMax : 1);
    this.#strikes.set(device, strikes);
    return strikes < strikesMax ? undefined : device;
  }
}
