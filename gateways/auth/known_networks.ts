/**
 * Where each account has logged in from, so that who guesses elsewhere shuts out nobody there. It is
 * remembered while the process lives, and bounded: one account that logs in from everywhere takes
 * the place of no other.
 *
 * @module
 */

/** Networks of one account. */
export const networksMax = 16;

/** See the module. */
export class KnownNetworks {
  readonly #max: number;
  /** Both in the order of their last use. */
  readonly #networks = new Map<string, Set<string>>();
  #size = 0;

  /** Remembers so many networks, of all accounts together. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  has(account: string, network: string): boolean {
    return this.#networks.get(account)?.has(network) ?? false;
  }

  add(account: string, network: string): void {
    const networks = this.#networks.get(account) ?? new Set();
    this.#networks.delete(account);
    this.#networks.set(account, networks);
    if (!networks.delete(network)) this.#size++;
    networks.add(network);
    if (networks.size > networksMax) this.#forgetOldest(networks);
    for (const [name, others] of this.#networks) {
      if (this.#size <= this.#max) return;
      this.#networks.delete(name);
      this.#size -= others.size;
    }
  }

  #forgetOldest(networks: Set<string>): void {
    for (const oldest of networks) {
      networks.delete(oldest);
      this.#size--;
      return;
    }
  }
}
