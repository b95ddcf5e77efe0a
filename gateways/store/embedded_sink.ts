/**
 * The embedded store as a shard's writer sees it: the store itself lives in a Worker of its own,
 * at the other end of a link.
 *
 * @module
 */
import type { PointBatch, Sink, SinkResult } from "../../actors/sink.ts";
import { isFields } from "../../runtime/fields.ts";
import type { Link } from "../../runtime/remote_link.ts";
import { PieceSender } from "./pieces.ts";
import { packBatches } from "./point_frame.ts";

/** The part of a {@linkcode Link} that is used. */
export type StoreLink = Pick<Link, "open" | "transfer" | "post">;

/** More at once would keep the store's Worker from showing that it is alive. */
const linesBytesMax = 8 * 1024 * 1024;
const away: SinkResult = { kind: "retry", reason: "the embedded store is being started" };

/**
 * A {@linkcode Sink} over a link. The link may come later, and another one when the store's Worker
 * was started anew; without one a write is to be tried again. A yes means that the points are on
 * the disk, so there is nothing to `watch`.
 */
export class EmbeddedSink implements Sink {
  readonly name = "embedded store";
  readonly #waiting = new Map<number, (result: SinkResult) => void>();
  readonly #attached = Promise.withResolvers<void>();
  #sender: PieceSender | undefined;
  #nextId = 1;

  /** Opens the link to the store's Worker and writes over it from now on. */
  attach(link: StoreLink): void {
    this.#lost();
    const sender = new PieceSender((buffer) => link.transfer(buffer));
    this.#sender = sender;
    this.#attached.resolve();
    link.open({
      control: (message) => this.#answered(message),
      credit: () => sender.resume(),
      lost: () => {
        if (this.#sender === sender) this.#lost();
      },
    });
  }

  write(batches: readonly PointBatch[], signal: AbortSignal): Promise<SinkResult> {
    const sender = this.#sender;
    if (sender === undefined) return Promise.resolve(away);
    const bytes = batches.reduce((sum, { lines }) => sum + lines.length, 0);
    if (bytes > linesBytesMax) {
      const reason = `${bytes} bytes at once, the embedded store takes ${linesBytesMax}`;
      return Promise.resolve({ kind: "too_large", reason });
    }
    const calledOff: SinkResult = { kind: "retry", reason: "the write was called off" };
    if (signal.aborted) return Promise.resolve(calledOff);
    const { promise, resolve } = Promise.withResolvers<SinkResult>();
    const id = this.#nextId++;
    const settle = (result: SinkResult) => {
      this.#waiting.delete(id);
      signal.removeEventListener("abort", abort);
      resolve(result);
    };
    const abort = () => settle(calledOff);
    signal.addEventListener("abort", abort);
    this.#waiting.set(id, settle);
    sender.send(id, packBatches(batches));
    return promise;
  }

  /** Commits nothing, which goes all the way to the disk. The first time it waits for the link. */
  async probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly reason?: string }> {
    const calledOff = Promise.withResolvers<void>();
    const abort = () => calledOff.resolve();
    signal.addEventListener("abort", abort);
    if (!signal.aborted) await Promise.race([this.#attached.promise, calledOff.promise]);
    signal.removeEventListener("abort", abort);
    const result = await this.write([], signal);
    return result.kind === "stored" ? { ok: true } : { ok: false, reason: result.reason };
  }

  close(): Promise<void> {
    this.#lost();
    return Promise.resolve();
  }

  #lost(): void {
    this.#sender = undefined;
    for (const settle of [...this.#waiting.values()]) settle(away);
  }

  #answered(message: unknown): void {
    const { id, result } = parseAnswer(message);
    this.#waiting.get(id)?.(result); // Nobody waits for a write that was called off.
  }
}

/** @throws {TypeError} when it is no answer of the store. */
function parseAnswer(message: unknown): { readonly id: number; readonly result: SinkResult } {
  if (isFields(message) && typeof message.id === "number" && isFields(message.result)) {
    const { id, result: { kind, reason } } = { id: message.id, result: message.result };
    if (kind === "stored") return { id, result: { kind } };
    if (typeof reason === "string") {
      if (kind === "retry" || kind === "misconfigured") return { id, result: { kind, reason } };
      if (kind === "rejected") return { id, result: { kind, reason, partial: false } };
    }
  }
  throw new TypeError("Cannot read the answer of the embedded store: it is of no known kind");
}
