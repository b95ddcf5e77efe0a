/**
 * One sender of a load run, whatever it speaks, and how it begins again after a break.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import type { Random } from "../random.ts";
import type { LoadBook } from "./load_book.ts";
import { Refused } from "./refused.ts";

/** A connection over MQTT, a station's WebSocket, or a client that posts over HTTP. */
export interface LoadLink {
  /** Resolves when the server first says yes. */
  readonly ready: Promise<void>;
  /** Messages sent so far: numbers 0 up to this one. */
  readonly sent: number;
  /** The server has said yes on the present connection. */
  readonly connected: boolean;
  /** Something may be due. */
  kick(): void;
  /** To be called every second or so: gives up a server that says nothing. */
  keepAlive(): void;
  /**
   * One connection: resolves when every message of the schedule was sent and acknowledged, or
   * `signal` aborted. Rejects with what broke it; what has no acknowledgement is sent by the next.
   */
  session(signal: AbortSignal): Promise<void>;
}

/** What every link of a run shares. */
export interface LinkEnvironment {
  readonly clock: SimClock;
  readonly book: LoadBook;
  /** For jitter. */
  readonly random: Random;
  readonly keepAliveS: number;
  /** A connection that cannot be made for so long ends the run. */
  readonly giveUpMs: number;
  /** Is told why a connection could not be made, each time. */
  readonly connectFailed?: (why: string) => void;
}

const backoffMinMs = 50;
const backoffMaxMs = 1_000;

/**
 * Runs sessions of a link until one resolves or `signal` aborts: after a break once more, ever less
 * often.
 *
 * @throws {CommandError} when no session comes about for `giveUpMs`, or asking again is no use.
 */
export async function keepTrying(
  link: Pick<LoadLink, "session" | "connected">,
  { clock, book, random, giveUpMs, connectFailed }: LinkEnvironment,
  signal: AbortSignal,
): Promise<void> {
  let backoffMs = backoffMinMs;
  let downSinceMs = clock.nowMs();
  while (!signal.aborted) {
    let cause: unknown;
    try {
      await link.session(signal);
      return;
    } catch (error) {
      cause = error;
    }
    if (signal.aborted) return;
    if (cause instanceof Refused && !cause.retryable) throw unavailable(cause);
    if (link.connected) {
      book.totals.reconnects++;
      backoffMs = backoffMinMs;
      downSinceMs = clock.nowMs();
    } else {
      book.totals.connectFailures++;
      if (clock.nowMs() - downSinceMs > giveUpMs) throw unavailable(cause);
      connectFailed?.(messageOf(cause));
    }
    book.breakReason(cause);
    await clock.sleep(backoffMs * random.between(0.5, 1), signal);
    backoffMs = Math.min(backoffMaxMs, backoffMs * 2);
  }
}

function unavailable(cause: unknown): CommandError {
  return new CommandError(exitCodes.unavailable, `cannot connect: ${messageOf(cause)}`, { cause });
}

const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);
