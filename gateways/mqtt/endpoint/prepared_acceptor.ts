/**
 * An acceptor for connections of which something must be known before MQTT begins: whose bytes they
 * carry, or who holds the certificate. Many are prepared at once, each within its deadline, so one
 * that is slow or silent keeps nobody waiting: where there are too many, the oldest makes room.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { Acceptor, Arrival } from "./arrival.ts";

/** A connection was closed from here before it was prepared: for others, or for its time. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
  readonly why: "crowded" | "late";

  constructor(why: "crowded" | "late", options?: ErrorOptions) {
    super(why === "late" ? "it took too long" : "others wanted its place", options);
    this.why = why;
  }
}

export interface PreparedAcceptorOptions<C> {
  readonly listener: { accept(): Promise<C>; close(): void };
  /** Finds out what is to be known. It rejects for a connection that is not let in. */
  readonly prepare: (connection: C) => Promise<Arrival>;
  /** Connections in preparation at once; for a further one the oldest is closed. */
  readonly countMax: number;
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Nobody will take what was prepared, for it came too late. */
  readonly dropped?: (arrival: Arrival) => void;
  /** A connection was closed before it became an arrival. */
  readonly refused: (cause: unknown, connection: C) => void;
}

/** See the module. */
export class PreparedAcceptor<C extends { close(): void }> implements Acceptor {
  readonly #options: PreparedAcceptorOptions<C>;
  /** The oldest first, with what gives it up. */
  readonly #underWay = new Map<C, (why: GivenUp["why"]) => void>();
  readonly #ready: Arrival[] = [];
  #waiting: PromiseWithResolvers<Arrival> | undefined;
  #accepting = false;
  #closed = false;

  constructor(options: PreparedAcceptorOptions<C>) {
    this.#options = options;
  }

  accept(): Promise<Arrival> {
    const arrival = this.#ready.shift();
    if (arrival !== undefined) return Promise.resolve(arrival);
    const waiting = this.#waiting ??= Promise.withResolvers<Arrival>();
    this.#acceptNext();
    return waiting.promise;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.listener.close();
    for (const connection of this.#underWay.keys()) closeQuietly(connection);
    for (const arrival of this.#ready.splice(0)) {
      this.#options.dropped?.(arrival);
      arrival.connection.close();
    }
    this.#waiting?.reject(new Error("the listener is closed"));
  }

  #acceptNext(): void {
    const { listener, countMax } = this.#options;
    if (this.#closed || this.#accepting || this.#ready.length >= countMax) return;
    this.#accepting = true;
    listener.accept().then(
      (connection) => {
        this.#accepting = false;
        if (this.#underWay.size >= countMax) {
          for (const giveUp of this.#underWay.values()) {
            giveUp("crowded");
            break;
          }
        }
        this.#prepare(connection);
        this.#acceptNext();
      },
      (cause: unknown) => {
        this.#accepting = false;
        // Whoever waits decides when to try again.
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.reject(cause);
      },
    );
  }

  #prepare(connection: C): void {
    const { prepare, clock, deadlineMs, refused } = this.#options;
    const connectedMs = clock.monotonic();
    let givenUp: GivenUp["why"] | undefined;
    const giveUp = (why: GivenUp["why"]): void => {
      givenUp = why;
      this.#underWay.delete(connection);
      closeQuietly(connection); // What waits for its bytes fails by that.
    };
    this.#underWay.set(connection, giveUp);
    const timer = clock.setTimer(deadlineMs, () => giveUp("late"));
    prepare(connection).then(
      (arrival) => {
        if (givenUp !== undefined || this.#closed) {
          this.#options.dropped?.(arrival);
          throw new Error("it came too late");
        }
        this.#arrived({ ...arrival, connectedMs });
      },
    ).catch((cause: unknown) => {
      closeQuietly(connection);
      if (this.#closed) return;
      refused(givenUp === undefined ? cause : new GivenUp(givenUp, { cause }), connection);
    }).finally(() => {
      timer.clear();
      this.#underWay.delete(connection);
      this.#acceptNext();
    });
  }

  #arrived(arrival: Arrival): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#ready.push(arrival);
      return;
    }
    this.#waiting = undefined;
    waiting.resolve(arrival);
  }
}

/** It may be closed already, by its deadline or by whoever prepared it. */
function closeQuietly(connection: { close(): void }): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
