/**
 * Devices whose code took their shard down: it is not run again before the next start of the
 * service, or one bad payload that its sender repeats would take the shard down for ever.
 *
 * @module
 */
import { codeTraceMemory, readCodeTrace } from "../actors/code_trace.ts";

/** Deaths after which code that had returned counts as their cause. */
const strikesMax = 2;

/** One shard's, over all incarnations of its Worker. */
export class CodeSuspects {
  /** Where the Worker notes whose code it runs. */
  readonly memory = codeTraceMemory();
  readonly #strikes = new Map<string, number>();
  readonly #found = new Set<string>();

  get list(): readonly string[] {
    return [...this.#found];
  }

  /** The Worker is dead: the device that is found guilty, if one newly is. */
  died(): string | undefined {
    const traced = readCodeTrace(this.memory);
    if (traced === undefined || this.#found.has(traced.device)) return undefined;
    const { device, running } = traced;
    const strikes = (this.#strikes.get(device) ?? 0) + (running ? strikesMax : 1);
    this.#strikes.set(device, strikes);
    if (strikes < strikesMax) return undefined;
    this.#found.add(device);
    return device;
  }
}
