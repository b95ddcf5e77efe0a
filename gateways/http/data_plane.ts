/**
 * What the HTTP edge answers itself: everything that carries readings. The rest belongs to the
 * control plane, which is the main thread's.
 *
 * @module
 */
import type { Intake, Transport } from "../../actors/intake.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { HttpHandler } from "./app.ts";
import { byteBudget } from "./body.ts";

export interface DataPlaneParts {
  /** Answers what is not the data plane's. */
  readonly forward: HttpHandler;
  readonly intake: Intake;
  readonly clock: Clock;
  /** What the bodies under way may take together. */
  readonly bodyBytes: number;
}

/** See the module. */
export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #budget: ReturnType<typeof byteBudget>;
  #draining = false;

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
    this.#budget = byteBudget(parts.bodyBytes);
  }

  /** Never rejects. */
  async handle(request: Request): Promise<Response> {
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
}
