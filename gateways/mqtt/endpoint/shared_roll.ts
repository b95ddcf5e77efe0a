/**
 * Who is connected, as the shards tell each other. Two that let in one client in the same moment
 * both hear of the other: the later one stays.
 *
 * @module
 */
import type { SharedCounts } from "../../../actors/rates/shared_counts.ts";
import { type SessionInfo, sessionKey, type SessionRoll } from "./endpoint_options.ts";

/** A client has connected in another shard. */
export interface ClientConnected {
  /** Made by {@linkcode sessionKey}. */
  readonly sessionKey: string;
  /** Higher than that of any client that connected before, wherever. */
  readonly order: number;
}

/** @throws {TypeError} when it is none. */
export function parseClientConnected(message: unknown): ClientConnected {
  if (
    typeof message === "object" && message !== null && "sessionKey" in message && "order" in message
  ) {
    const { sessionKey, order } = message;
    if (typeof sessionKey === "string" && typeof order === "number") return { sessionKey, order };
  }
  throw new TypeError("Cannot read the notice of a connected client");
}

/** See the module. */
export class SharedRoll implements SessionRoll {
  readonly #counts: SharedCounts;
  readonly #tell: (shard: number, connected: ClientConnected) => void;

  constructor(counts: SharedCounts, tell: (shard: number, connected: ClientConnected) => void) {
    this.#counts = counts;
    this.#tell = tell;
  }

  joined(session: SessionInfo, keyHash: number): number {
    this.#counts.add(keyHash);
    // Between the two: whoever has not heard of the other then is the later one.
    const order = this.#counts.turn();
    for (const shard of this.#counts.elsewhere(keyHash)) {
      this.#tell(shard, { sessionKey: sessionKey(session), order });
    }
    return order;
  }

  left(keyHash: number): void {
    this.#counts.remove(keyHash);
  }
}
