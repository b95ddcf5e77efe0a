/**
 * Whether, and how long after its end, a Worker is started anew: OTP's intensity, and a backoff
 * that forgets its past when the Worker ran well for long enough.
 *
 * @module
 */
import type { SupervisionSpec } from "./actor.ts";
import { backoffDelayMs } from "./backoff.ts";
import type { Random } from "./random.ts";
import type { RestartWindow } from "./restart_window.ts";
import { checkSupervision, decide } from "./supervisor.ts";

export const workerSupervisionDefault: SupervisionSpec = {
  strategy: "one_for_one",
  intensity: 5,
  periodMs: 60_000,
  backoff: { minMs: 100, maxMs: 5_000, factor: 2, jitter: 0.2, resetMs: 60_000 },
  onExceeded: "escalate",
};

/** Remembers the ends of one Worker. Times are monotonic, in ms. */
export class WorkerRestarts {
  readonly #supervision: SupervisionSpec;
  readonly #random: Random;
  #window: RestartWindow = [];
  #attempts = 0;

  constructor(supervision: SupervisionSpec, random: Random) {
    checkSupervision(supervision);
    this.#supervision = supervision;
    this.#random = random;
  }

  /** The wait before the next start; `undefined` when there were too many. */
  nextDelayMs(startedMs: number, endedMs: number): number | undefined {
    const next = decide(this.#supervision, "permanent", "failed", this.#window, endedMs);
    if (next.kind !== "restart") return undefined;
    this.#window = next.window;
    const { backoff } = this.#supervision;
    if (backoff === undefined) return 0;
    if (endedMs - startedMs >= backoff.resetMs) this.#attempts = 0;
    return backoffDelayMs(backoff, this.#attempts++, this.#random);
  }
}
