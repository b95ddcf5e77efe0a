/**
 * One message to those in this shard who listen to it, each as its subscriptions say.
 *
 * @module
 */
import type { Qos } from "../codec/publish.ts";
import type { KeptSession } from "../kept/kept_session.ts";
import type { Delivery, Message } from "./message.ts";
import type { SmallMap } from "./small_map.ts";
import type { FilterEntry, Grant, Subscriber } from "./subscription_table.ts";

/** So many receivers make it worth while to encode the message once for all. */
const sharedFrom = 3;

/**
 * To those who do not share: once each, however many of their subscriptions match. False when there
 * is nobody.
 */
export function fanOut(
  entries: readonly FilterEntry[],
  message: Message,
  from: Subscriber | undefined,
): boolean {
  let count = 0;
  for (const { local } of entries) count += local?.size ?? 0;
  if (count === 0) return false;
  message.shared ||= count >= sharedFrom;
  const merged = entries.length === 1
    ? entries[0]!.local?.entries ?? []
    : mergeGrants(entries.map(({ local }) => local).filter(isThere), from);
  let reached = false;
  for (const [subscriber, grant] of merged) {
    if (grant.noLocal && subscriber === from) continue;
    reached = true;
    subscriber.deliver(message, deliveryOf(message, grant));
  }
  return reached;
}

/** The kept sessions a message is for, wherever they are, and how each gets it. */
export function keptDeliveries(
  entries: readonly FilterEntry[],
  message: Message,
  from: KeptSession | undefined,
): [KeptSession, Delivery][] {
  const maps = entries.map(({ kept }) => kept).filter(isThere);
  if (maps.length === 0) return [];
  return [...mergeGrants(maps, from)]
    .map(([session, grant]) => [session, deliveryOf(message, grant)]);
}

/** How a message goes out under a grant. */
export function deliveryOf(message: Message, { qos, retainAsPublished, ids }: Grant): Delivery {
  return {
    qos: Math.min(qos, message.qos) as Qos,
    retain: retainAsPublished && message.retain,
    ids,
  };
}

/** The highest QoS of all subscriptions that match, and all their identifiers [MQTT-3.3.4-2]. */
function mergeGrants<S extends Subscriber | KeptSession>(
  maps: readonly SmallMap<S, Grant>[],
  from: S | undefined,
): Map<S, Grant> {
  const merged = new Map<S, Grant>();
  for (const local of maps) {
    for (const [subscriber, grant] of local.entries) {
      if (grant.noLocal && subscriber === from) continue;
      const other = merged.get(subscriber);
      merged.set(subscriber, other === undefined ? grant : both(other, grant));
    }
  }
  return merged;
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

function both(a: Grant, b: Grant): Grant {
  return {
    qos: Math.max(a.qos, b.qos) as Qos,
    noLocal: false,
    retainAsPublished: a.retainAsPublished || b.retainAsPublished,
    ids: [...a.ids, ...b.ids],
  };
}
