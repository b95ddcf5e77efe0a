/**
 * How often a password may be tried: per account, whether there is one or not, and per address. A
 * try is taken before the work is done and given back when it was right, so that tries at once count
 * too. An address that an account has logged in from has tries of its own for that account: whoever
 * guesses elsewhere takes none of them.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import { KnownNetworks } from "./known_networks.ts";

/** Wrong tries in a row, then one per `refillMs`. */
export interface TryLimit {
  readonly burst: number;
  readonly refillMs: number;
}

export interface LoginLimitsOptions {
  readonly clock: Clock;
  readonly account?: TryLimit;
  readonly address?: TryLimit;
  /** Names and addresses remembered, each; beyond it the one not seen for longest is forgotten. */
  readonly rememberedMax?: number;
}

/** What came of asking for a try. */
export type Try =
  | {
    readonly kind: "taken";
    /** It came to nothing, for no fault of who tried. */
    giveBack(): void;
    /** The password was right. */
    right(): void;
  }
  | { readonly kind: "limited"; readonly retryAfterS: number };

export const accountLimit: TryLimit = { burst: 10, refillMs: 30_000 };
/** Many devices may share an address. */
export const addressLimit: TryLimit = { burst: 100, refillMs: 1_000 };

/** Longer than any name that exists: what is remembered of a stranger's is bounded. */
const nameCharsKept = 160;

/** See the module. */
export class LoginLimits {
  readonly #accounts: Buckets;
  readonly #addresses: Buckets;
  /** Of accounts at networks that they have logged in from. */
  readonly #known: Buckets;
  readonly #networks: KnownNetworks;

  constructor(options: LoginLimitsOptions) {
    const { clock, account = accountLimit, address = addressLimit, rememberedMax = 100_000 } =
      options;
    this.#accounts = new Buckets(account, clock, rememberedMax);
    this.#addresses = new Buckets(address, clock, rememberedMax);
    this.#known = new Buckets(account, clock, rememberedMax);
    this.#networks = new KnownNetworks(rememberedMax);
  }

  /** `address` is an IP address; of IPv6 the /64 counts, which one customer has. */
  take(account: string, address: string): Try {
    const network = networkOf(address);
    const name = account.slice(0, nameCharsKept);
    const isKnown = this.#networks.has(name, network);
    const [accounts, key] = isKnown ? [this.#known, `${network} ${name}`] : [this.#accounts, name];
    const waitMs = Math.max(accounts.waitMs(key), this.#addresses.waitMs(network));
    if (waitMs > 0) return { kind: "limited", retryAfterS: Math.ceil(waitMs / 1000) };
    accounts.add(key, -1);
    this.#addresses.add(network, -1);
    const giveBack = () => {
      accounts.add(key, 1);
      this.#addresses.add(network, 1);
    };
    return {
      kind: "taken",
      giveBack,
      right: () => {
        giveBack();
        this.#networks.add(name, network);
      },
    };
  }
}

/** Token buckets by key, in the order of their last use. */
class Buckets {
  readonly #limit: TryLimit;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

  constructor(limit: TryLimit, clock: Clock, max: number) {
    this.#limit = limit;
    this.#clock = clock;
    this.#max = max;
  }

  waitMs(key: string): number {
    return Math.max(0, (1 - this.#tokens(key)) * this.#limit.refillMs);
  }

  add(key: string, change: number): void {
    const tokens = Math.min(this.#limit.burst, this.#tokens(key) + change);
    this.#buckets.delete(key);
    if (tokens === this.#limit.burst) return;
    this.#buckets.set(key, { tokens, atMs: this.#clock.monotonic() });
    if (this.#buckets.size <= this.#max) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }

  #tokens(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#limit.burst;
    const refilled = (this.#clock.monotonic() - bucket.atMs) / this.#limit.refillMs;
    return Math.min(this.#limit.burst, bucket.tokens + refilled);
  }
}

/** The address itself for IPv4, the first four groups for IPv6. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    while (groups.length + after.length < 8) groups.push("0");
    groups.push(...after);
  }
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
