/**
 * A kept session, as every shard knows it: what it subscribed to, and where its client is
 * connected. What waits for it is in the file alone.
 *
 * @module
 */
import { SmallMap } from "../pubsub/small_map.ts";
import type { Grant } from "../pubsub/subscription_table.ts";
import type { KeptAttachment } from "./kept_attachment.ts";

/** See the module. */
export class KeptSession {
  readonly id: number;
  readonly key: string;
  readonly account: string;
  epoch = 0;
  /** The shard its client is connected to. */
  holder: number | undefined;
  /** Its connection, when that is here. */
  attachment: KeptAttachment | undefined;
  readonly grants = new SmallMap<string, Grant>();
  /** Filters whose retained messages are still to be sent, from after this topic. */
  unfed: ReadonlyMap<string, string> | undefined;

  constructor(id: number, key: string, account: string) {
    this.id = id;
    this.key = key;
    this.account = account;
  }
}
