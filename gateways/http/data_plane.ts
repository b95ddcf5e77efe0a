/**
 * What the HTTP edge answers itself: everything that carries readings. The rest belongs to the
 * control plane, which is the main thread's.
 *
 * @module
 */
import type { Intake, Transport } from "../../actors/intake.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../log/log.ts";
import { maySend } from "../auth/api_guard.ts";
import type { HttpHandler } from "./app.ts";
import { byteBudget } from "./body.ts";
import type { Callers } from "./callers.ts";
import { postReadings } from "./ingest/post_readings.ts";
import { Problem, problemResponse } from "./problem.ts";
import { refuseForeign, secured } from "./security.ts";

export interface DataPlaneParts {
  /** Answers what is not the data plane's. */
  readonly forward: HttpHandler;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: DataPlaneLimits;
  /** Who made a request. */
  readonly callers: Callers;
}

export interface DataPlaneLimits {
  /** Largest body, as it comes and unpacked. */
  readonly bodyBytesMax: number;
  /** How long a body may take to come. */
  readonly bodyMs: number;
  /** What the bodies under way may take together. */
  readonly bodiesBytes: number;
}

/** How long a request waits for credit, and for what was taken to be durable. */
const creditMs = 5_000;
const settleMs = 30_000;

/** See the module. */
export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #budget: ReturnType<typeof byteBudget>;
  #draining = false;

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
    this.#budget = byteBudget(parts.limits.bodiesBytes);
  }

  /** Never rejects. */
  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/readings" && request.method === "POST") {
      return await this.#guarded(request, () => this.#postReadings(request));
    }
    return await this.#parts.forward(request);
  }

  /** Takes no more readings. */
  drain(): void {
    this.#draining = true;
  }

  sessions(): Partial<Record<Transport, number>> {
    return {};
  }

  counters(): Record<string, number> {
    return {};
  }

  gauges(): Record<string, number> {
    return { sluice_http_body_bytes: this.#budget.used };
  }

  /** Errors as problems, and the headers that guard a browser. */
  async #guarded(request: Request, answer: () => Promise<Response>): Promise<Response> {
    try {
      refuseForeign(request);
      return secured(await answer());
    } catch (error) {
      if (error instanceof Problem) return secured(problemResponse(error));
      const { method, url } = request;
      this.#parts.log.error("a request failed", { method, path: new URL(url).pathname, error });
      return secured(problemResponse(new Problem("internal", "the log has the cause")));
    }
  }

  async #postReadings(request: Request): Promise<Response> {
    if (this.#draining) {
      throw new Problem("not-ready", "the service is shutting down", {}, { "retry-after": "5" });
    }
    const { intake, clock, limits, callers } = this.#parts;
    const { claims } = callers.of(request);
    const { bodyBytesMax, bodyMs } = limits;
    const budget = this.#budget;
    return await postReadings(request, {
      intake,
      clock,
      budget,
      bodyBytesMax,
      bodyMs,
      creditMs,
      settleMs,
      ...(claims === undefined ? {} : { permits: (topic) => maySend(claims, topic) }),
    });
  }
}
