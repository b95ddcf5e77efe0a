/**
 * A message for so many shared subscriptions that their names do not fit into what a link takes at
 * once: it goes to the other shard several times, each time for some of them.
 *
 * @module
 */
import type { Forwarded } from "./peer_mail.ts";

/** Names that go with a message. */
const namesBytesMax = 64 * 1024;
/** The length of a name, and its turn. */
const shareBytes = 6;

export interface ForwardedPart {
  readonly forwarded: Forwarded;
  /** About what it takes. */
  readonly bytes: number;
}

/** A message, as often as it takes to name all the shared subscriptions it is for. */
export function* partsOf(forwarded: Forwarded): Generator<ForwardedPart> {
  const { message, shares } = forwarded;
  let from = 0;
  let names = 0;
  const partTo = (to: number): ForwardedPart => {
    const direct = forwarded.direct && from === 0;
    const all = from === 0 && to === shares.length;
    return {
      forwarded: all ? forwarded : { ...forwarded, direct, shares: shares.slice(from, to) },
      bytes: message.bytes + names,
    };
  };
  for (const [at, { name }] of shares.entries()) {
    const bytes = shareBytes + 3 * name.length; // In UTF-8, at most.
    if (names + bytes > namesBytesMax && at > from) {
      yield partTo(at);
      from = at;
      names = 0;
    }
    names += bytes;
  }
  yield partTo(shares.length);
}
