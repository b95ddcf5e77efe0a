/**
 * Hashes and checks passwords, so many at once, since each is costly by design. One that was right
 * lately costs nothing.
 *
 * @module
 */
import { passwordBytesMax, type PasswordHasher } from "./password.ts";
import { Turns } from "./turns.ts";
import { VerifiedPasswords } from "./verified_passwords.ts";

/** Passwords that are hashed at once, and that wait for it; beyond that they are refused. */
export interface HashingLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}

const limitsDefault: HashingLimits = {
  atOnceMax: navigator.hardwareConcurrency,
  waitingMax: 1_000,
};
const verifiedMax = 100_000;

/** See the module. Rejects with a `BusyError` when too many wait already. */
export class PasswordChecker {
  readonly #hasher: PasswordHasher;
  readonly #turns: Turns;
  readonly #verified = new VerifiedPasswords(verifiedMax);

  constructor(hasher: PasswordHasher, { atOnceMax, waitingMax }: HashingLimits = limitsDefault) {
    this.#hasher = hasher;
    this.#turns = new Turns(atOnceMax, waitingMax);
  }

  hash(password: string): Promise<string> {
    return this.#turns.run(() => this.#hasher.hash(password));
  }

  /**
   * Whether the password is the one of the hash. Without a hash, for an account that is not there,
   * and for one that is too long the same work is done for nothing.
   */
  async verify(name: string, password: string, hash: string | undefined): Promise<boolean> {
    const fits = new TextEncoder().encode(password).length <= passwordBytesMax;
    const tried = fits ? password : "";
    if (hash !== undefined && this.#verified.has(name, tried, hash)) return true;
    const right = await this.#turns.run(() => this.#hasher.verify(tried, hash)) && fits;
    if (right && hash !== undefined) this.#verified.add(name, tried, hash);
    return right;
  }
}
