/**
 * The end of the service, in order: stop accepting and drain, flush, close, each with its deadline.
 *
 * @module
 */
import type { Config } from "../config.ts";
import { logger } from "../gateways/log/log.ts";
import type { HostedShard } from "./shard_handle.ts";
import type { ShardQuestion } from "./shard_protocol.ts";

const log = logger("service");

/** What a lost Worker owes is not settled any more; what the others owe is, within this time. */
const drainLostMs = 1_000;
/** How much later than a flush's own deadline its answer may come. */
const answerMs = 500;

/** One of those who take readings in. */
type Taker = Pick<HostedShard, "id" | "state" | "ask">;

export interface ShutdownParts {
  readonly deadlines: Config["shutdown"];
  readonly takers: readonly Taker[];
  /** A Worker is lost for good. */
  readonly lost: boolean;
  /** Ends the Workers; gives the names of those that had to be killed. */
  readonly close: (deadlineMs: number) => Promise<readonly string[]>;
}

/** Resolves with what passed its deadline. Rejects only when `close` does. */
export async function shutDown(
  { deadlines, takers, lost, close }: ShutdownParts,
): Promise<string[]> {
  const { flushMs, closeMs } = deadlines;
  const drainMs = lost ? Math.min(drainLostMs, deadlines.drainMs) : deadlines.drainMs;
  log.info("shutting down: draining", { deadlineMs: drainMs });
  const { late } = await askAll(takers, { kind: "drain" }, drainMs);
  log.info("shutting down: writing the spool to the store", { deadlineMs: flushMs });
  // What the store does not take now it takes after the next start: that is what the spool is for.
  const flush = { kind: "flush", deadlineMs: flushMs } as const;
  const { incomplete } = await askAll(takers, flush, flushMs + answerMs);
  if (incomplete.length > 0) {
    log.warn("the store has not taken all; the rest is in the spool for the next start", {
      workers: incomplete.join(" "),
    });
  }
  log.info("shutting down: closing", { deadlineMs: closeMs });
  return [...late, ...await close(closeMs)];
}

/** Who did not answer in time, and who said that something is left. */
async function askAll(
  takers: readonly Taker[],
  question: Extract<ShardQuestion, { kind: "drain" | "flush" }>,
  deadlineMs: number,
): Promise<{ late: string[]; incomplete: string[] }> {
  const step = question.kind;
  const late: string[] = [];
  const incomplete: string[] = [];
  await Promise.all(takers.map(async (taker) => {
    if (taker.state === "failed") return;
    try {
      if (await taker.ask(question, deadlineMs) === false) incomplete.push(taker.id);
    } catch (cause) {
      late.push(`${step} of ${taker.id}`);
      log.warn(`${step} did not end in time`, { worker: taker.id, cause: String(cause) });
    }
  }));
  return { late, incomplete };
}
