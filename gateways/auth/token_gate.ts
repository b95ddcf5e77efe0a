/**
 * Lets tokens in, in every thread by itself: knows the keys, and which accounts have changed since
 * the oldest token that can still be valid was issued.
 *
 * @module
 */
import { type Claims, type TokenKey, type TokenRefusal, verifyToken } from "./token.ts";
import type { AccountVersion } from "./account_store.ts";

/**
 * `outdated`: the account was changed or disabled since. `unavailable`: it is not known yet what
 * has changed, so nothing can be let in.
 */
export type GateRefusal = TokenRefusal | "outdated" | "unavailable";
const refusals: readonly GateRefusal[] = ["expired", "invalid", "outdated", "unavailable"];

/** See the module. */
export class TokenGate {
  #keys: readonly TokenKey[] = [];
  readonly #versions = new Map<string, number>();
  readonly #refused = new Map<GateRefusal, number>(refusals.map((why) => [why, 0]));
  #open = false;

  /** Whether it is known what has changed. */
  get open(): boolean {
    return this.#open;
  }

  /** Known from now on: the keys, the first of which signs. */
  setKeys(keys: readonly TokenKey[]): void {
    this.#keys = keys;
  }

  /** Those of {@linkcode setKeys}. */
  get keys(): readonly TokenKey[] {
    return this.#keys;
  }

  /** What had changed before the start is known: tokens can be let in. */
  setOpen(): void {
    this.#open = true;
  }

  /** These accounts have changed: what was issued for earlier versions is outdated. */
  change(changed: Iterable<AccountVersion>): void {
    for (const { name, version } of changed) {
      this.#versions.set(name, Math.max(version, this.#versions.get(name) ?? 0));
    }
  }

  /** All changes that are known. */
  *changes(): Generator<AccountVersion> {
    for (const [name, version] of this.#versions) yield { name, version };
  }

  /** Whether this version of the account is still the one, as far as is known here. */
  isCurrent({ name, version }: AccountVersion): boolean {
    return version >= (this.#versions.get(name) ?? 0);
  }

  /** Never rejects. */
  async admit(token: string, nowMs: number): Promise<Claims | GateRefusal> {
    const result = this.#decide(await verifyToken(token, this.#keys, nowMs));
    if (typeof result === "string") this.#refused.set(result, (this.#refused.get(result) ?? 0) + 1);
    return result;
  }

  /** By metric name: tokens that were refused in this thread. */
  counters(): Record<string, number> {
    return Object.fromEntries(
      [...this.#refused].map((
        [why, count],
      ) => [`sluice_tokens_refused_total{reason="${why}"}`, count]),
    );
  }

  #decide(claims: Claims | TokenRefusal): Claims | GateRefusal {
    if (typeof claims === "string") return claims;
    if (!this.#open) return "unavailable";
    return this.isCurrent(claims) ? claims : "outdated";
  }
}

/** Whether a password is meant as a token: three parts, the first a JSON object in base64url. */
export const looksLikeToken = (password: string): boolean =>
  /^eyJ[\w-]+\.[\w-]*\.[\w-]*$/.test(password);
