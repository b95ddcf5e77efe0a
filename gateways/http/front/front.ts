/**
 * What stands before the HTTP server: it accepts the connections, bounds how many there are, and
 * ends those that take up room and time without a request.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Acceptor, Arrival } from "../../mqtt/endpoint/arrival.ts";
import { Visit, type VisitEnd, visitEnds, type VisitOptions } from "./visit.ts";

export interface FrontLimits
  extends Pick<VisitOptions, "clock" | "budget" | "headTimeoutMs" | "idleTimeoutMs"> {
  /** Connections at once, those included that were taken over. */
  readonly connectionsMax: number;
}

export interface FrontOptions extends FrontLimits {
  /** Where clients arrive. */
  readonly acceptors: readonly Acceptor[];
  readonly dial: VisitOptions["dial"];
  /** Accepting failed, and is tried again. */
  readonly acceptFailed: (cause: unknown) => void;
}

/** How long to wait before accepting again after it failed. */
const acceptRetryMs = 200;
/** How often to look for connections whose time is over. */
const sweepMs = 1_000;

/** See the module. */
export class Front {
  readonly #options: FrontOptions;
  readonly #visits = new Set<Visit>();
  /** By the port that the connection to the server has on our side. */
  readonly #byPort = new Map<number, Visit>();
  readonly #ends = new Map<VisitEnd, number>();
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #sweptMs: number;
  #closed = false;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#sweptMs = this.#clock.monotonic();
    for (const acceptor of options.acceptors) this.#accept(acceptor);
    this.#sweepLater();
  }

  /** Whose request came from this port; `undefined`: it did not come through here. */
  visitFrom(port: number): Visit | undefined {
    return this.#byPort.get(port);
  }

  /** Accepts no more. */
  closeDoor(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const acceptor of this.#options.acceptors) acceptor.close();
  }

  /** The server has ended: resolves when all that it said has gone on. */
  async passedOn(): Promise<void> {
    await Promise.all([...this.#visits].map((visit) => visit.passedOn));
  }

  /** Ends what is still there. What was taken over has its own end. */
  close(): void {
    this.closeDoor();
    this.#timer?.clear();
    for (const visit of [...this.#visits]) visit.end();
  }

  /** By metric name. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {};
    for (const why of visitEnds) {
      counters[`sluice_http_connections_ended_total{reason="${why}"}`] = this.#ends.get(why) ?? 0;
    }
    return counters;
  }

  gauges(): Record<string, number> {
    return { sluice_http_connections: this.#visits.size };
  }

  #accept(acceptor: Acceptor): void {
    const { acceptFailed } = this.#options;
    acceptor.accept().then(
      (arrival) => {
        this.#admit(arrival);
        if (!this.#closed) this.#accept(acceptor);
      },
      (cause: unknown) => {
        if (this.#closed) return;
        acceptFailed(cause);
        this.#clock.setTimer(acceptRetryMs, () => {
          if (!this.#closed) this.#accept(acceptor);
        });
      },
    );
  }

  #admit(arrival: Arrival): void {
    const { connection, left } = arrival;
    if (this.#closed) {
      left?.();
      return connection.close();
    }
    const { dial, connectionsMax, clock, budget, headTimeoutMs, idleTimeoutMs } = this.#options;
    if (this.#visits.size >= connectionsMax) this.#makeRoom();
    const visit: Visit = new Visit(arrival, {
      clock,
      budget,
      headTimeoutMs,
      idleTimeoutMs,
      dial,
      dialed: (port) => this.#byPort.set(port, visit),
      left: (port) => this.#byPort.delete(port),
      ending: (why) => this.#ends.set(why, (this.#ends.get(why) ?? 0) + 1),
      ended: () => {
        this.#visits.delete(visit);
        left?.();
      },
    });
    this.#visits.add(visit);
    if (this.#visits.size > connectionsMax) visit.end("crowded");
    else visit.start();
  }

  /** The oldest connection without a request makes room for one that may have one. */
  #makeRoom(): void {
    for (const visit of this.#visits) {
      if (visit.idle) return visit.end("crowded");
    }
  }

  #sweepLater(): void {
    this.#timer = this.#clock.setTimer(sweepMs, () => {
      const nowMs = this.#clock.monotonic();
      // After a standstill what has come meanwhile is read first.
      const late = nowMs - this.#sweptMs > 3 * sweepMs;
      this.#sweptMs = nowMs;
      if (!late) { for (const visit of [...this.#visits]) visit.sweep(nowMs); }
      this.#sweepLater();
    });
  }
}
