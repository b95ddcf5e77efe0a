/**
 * What came of the logins of this process, on every way in.
 *
 * @module
 */

const outcomes = ["granted", "wrong", "limited", "busy", "unavailable"] as const;
export type LoginOutcome = typeof outcomes[number];

/** Only ever grows. */
export class LoginStats {
  readonly #logins = new Map<LoginOutcome, number>(outcomes.map((outcome) => [outcome, 0]));
  #issued = 0;

  /** A name and a password were checked, or could not be. */
  login(outcome: LoginOutcome): void {
    this.#logins.set(outcome, (this.#logins.get(outcome) ?? 0) + 1);
  }

  /** A token was made. */
  issued(): void {
    this.#issued++;
  }

  /** By metric name. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = { sluice_tokens_issued_total: this.#issued };
    for (const [outcome, count] of this.#logins) {
      counters[`sluice_logins_total{outcome="${outcome}"}`] = count;
    }
    return counters;
  }
}
