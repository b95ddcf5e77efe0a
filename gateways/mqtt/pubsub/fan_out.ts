/**
 * One message to those in this shard who listen to it, each as its subscriptions say.
 *
 * @module
 */
import type { Qos } from "../codec/publish.ts";
import type { Delivery, Message } from "./message.ts";
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
  for (const { local } of entries) count += local.size;
  if (count === 0) return false;
  message.shared ||= count >= sharedFrom;
  const merged = entries.length === 1 ? entries[0]!.local : mergeGrants(entries, from);
  let reached = false;
  for (const [subscriber, grant] of merged) {
    if (grant.noLocal && subscriber === from) continue;
    reached = true;
    subscriber.deliver(message, deliveryOf(message, grant));
  }
  return reached;
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
function mergeGrants(
  entries: readonly FilterEntry[],
  from: Subscriber | undefined,
): Map<Subscriber, Grant> {
  const merged = new Map<Subscriber, Grant>();
  for (const { local } of entries) {
    for (const [subscriber, grant] of local) {
      if (grant.noLocal && subscriber === from) continue;
      const other = merged.get(subscriber);
      merged.set(subscriber, other === undefined ? grant : both(other, grant));
    }
  }
  return merged;
}

function both(a: Grant, b: Grant): Grant {
  return {
    qos: Math.max(a.qos, b.qos) as Qos,
    noLocal: false,
    retainAsPublished: a.retainAsPublished || b.retainAsPublished,
    ids: [...a.ids, ...b.ids],
  };
}
