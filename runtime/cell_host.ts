/**
 * What a cell needs of the actor system around it.
 *
 * @module
 */
import type { Cell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Failure } from "./failure.ts";
import type { Random } from "./random.ts";
import type { ChildExit } from "./supervisor.ts";

/** A child ended by itself, and its supervisor decided. */
export class SupervisionEvent {
  readonly #child: Pick<Cell, "path" | "settings">;

  constructor(
    child: Pick<Cell, "path" | "settings">,
    readonly exit: ChildExit,
    /** Absent when the child completed. */
    readonly failure: Failure | undefined,
    readonly decision: "restart" | "remove" | "escalate" | "quarantine" | "stop",
    /** How long the restart waits, in ms. */
    readonly delayMs: number,
  ) {
    this.#child = child;
  }

  /** Worked out when it is asked for: nobody looks at the many that complete. */
  get path(): string {
    return this.#child.path;
  }

  get kind(): string {
    return this.#child.settings.kind;
  }
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
