/**
 * Two ends of a message channel in memory that deliver only when told to, for tests of ports and
 * links.
 *
 * @module
 */
import type { Channel } from "../port.ts";

class MemoryChannel implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onmessageerror: ((event: MessageEvent) => void) | null = null;
  closed = false;
  posted = 0;
  readonly inbox: unknown[] = [];
  peer: MemoryChannel | undefined;

  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    this.posted++;
    const copy: unknown = structuredClone(message, { transfer });
    if (!this.closed) this.peer?.inbox.push(copy);
  }

  close(): void {
    this.closed = true;
  }

  /** Delivers the oldest packet; false when there is none. */
  deliver(): boolean {
    if (this.inbox.length === 0 || this.onmessage === null) return false;
    this.onmessage(new MessageEvent("message", { data: this.inbox.shift() }));
    return true;
  }
}
export type { MemoryChannel };

/** What is posted at one end waits until the other end delivers. */
export function channelPair(): { near: MemoryChannel; far: MemoryChannel } {
  const near = new MemoryChannel();
  const far = new MemoryChannel();
  near.peer = far;
  far.peer = near;
  return { near, far };
}

/** Delivers until nothing is under way. */
export function pump(...ends: readonly MemoryChannel[]): void {
  for (let delivered = true; delivered;) {
    delivered = false;
    for (const end of ends) delivered = end.deliver() || delivered;
  }
}
