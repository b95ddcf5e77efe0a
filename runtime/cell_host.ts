/**
 * What a cell needs of the actor system around it.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Failure } from "./failure.ts";
import type { Random } from "./random.ts";
import type { ChildExit } from "./supervisor.ts";

/** A child ended by itself, and its supervisor decided. */
export interface SupervisionEvent {
  readonly path: string;
  readonly kind: string;
  readonly exit: ChildExit;
  /** Absent when the child completed. */
  readonly failure?: Failure;
  readonly decision: "restart" | "remove" | "escalate" | "quarantine" | "stop";
  /** How long the restart waits, in ms. */
  readonly delayMs: number;
}

/** The services of one actor system, shared by all of its cells. */
export interface CellHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly dispatcher: Dispatcher;
  readonly deadLetters: DeadLetters;
  readonly deadlines: Deadlines;
  supervised(event: SupervisionEvent): void;
  restarted(kind: string): void;
  /** `stopped` of the actor at `path` threw, rejected or overran its deadline; it ended anyway. */
  stopFault(path: string, failure: Failure): void;
  /** The top of the tree failed: nobody is left to decide. */
  rootFailed(failure: Failure): void;
  /** The root has ended, and with it everything. */
  rootEnded(): void;
}
