/**
 * An actor system whose time and turns belong to the test: nothing runs by itself, nothing waits.
 *
 * @module
 */
import type { ActorRef, ChildSpec } from "../actor.ts";
import type { SupervisionEvent } from "../cell_host.ts";
import { ManualClock } from "../clock.ts";
import type { DeadLetter } from "../dead_letters.ts";
import { manualScheduler } from "../dispatcher.ts";
import type { Failure } from "../failure.ts";
import type { Keyed, KeyedSpec } from "../keyed.ts";
import { seededRandom } from "../random.ts";
import { ActorSystem, type SystemOptions } from "../system.ts";

/**
 * An {@linkcode ActorSystem} on a manual clock, with everything it reports written down.
 *
 * @example
 * ```ts
 * import { TestSystem } from "./test_system.ts";
 * import assert from "node:assert/strict";
 *
 * const test = new TestSystem();
 * const seen: string[] = [];
 * const ref = test.spawn<string>({
 *   id: "late",
 *   start: (context) => ({
 *     receive(message) {
 *       seen.push(message);
 *       if (message === "now") context.startTimer("later", 500, "later");
 *     },
 *   }),
 * });
 * ref.tell("now");
 * test.run();
 * test.advance(500);
 * assert.deepEqual(seen, ["now", "later"]);
 * await test.stop();
 * ```
 */
export class TestSystem {
  readonly clock = new ManualClock();
  readonly letters: DeadLetter[] = [];
  readonly events: SupervisionEvent[] = [];
  readonly stopFaults: { readonly path: string; readonly failure: Failure }[] = [];
  readonly system: ActorSystem;

  constructor(options: Omit<SystemOptions, "clock"> & { readonly messagesPerTurn?: number } = {}) {
    const { messagesPerTurn = 64, ...rest } = options;
    this.system = new ActorSystem({
      name: "test",
      random: seededRandom(1),
      onSupervision: (event) => this.events.push(event),
      onStopFault: (path, failure) => this.stopFaults.push({ path, failure }),
      ...rest,
      clock: this.clock,
      dispatcher: { scheduler: manualScheduler, messagesPerTurn },
    });
    this.system.deadLetters.subscribe((letter) => {
      this.letters.push(letter);
    });
  }

  spawn<M>(spec: ChildSpec<M>): ActorRef<M> {
    return this.system.spawn(spec);
  }

  spawnKeyed<M>(spec: KeyedSpec<M>): Keyed<M> {
    return this.system.spawnKeyed(spec);
  }

  /** Gives turns until nobody has anything to do. Throws when that does not end. */
  run(turnsMax = 1_000_000): void {
    this.system.dispatcher.runUntilIdle(turnsMax);
    if (this.system.dispatcher.pending > 0) {
      throw new Error(`Actors are still busy after ${turnsMax} turns`);
    }
  }

  /** Moves time on; whoever is woken by a timer acts before the next one fires. */
  advance(byMs: number): void {
    const endMs = this.clock.now() + byMs;
    this.run();
    for (let dueMs = this.clock.nextDueMs; dueMs !== undefined && dueMs <= endMs;) {
      this.clock.advance(Math.max(0, dueMs - this.clock.now()));
      this.run();
      dueMs = this.clock.nextDueMs;
    }
    this.clock.advance(endMs - this.clock.now());
    this.run();
  }

  /** Lets promises that are already settled take their effect. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) {
      await Promise.resolve();
      this.run();
    }
  }

  /** Stops the system; time passes as far as deadlines need it. */
  async stop(): Promise<Failure | undefined> {
    const ended = this.system.stop();
    let open = true;
    ended.finally(() => open = false);
    for (let i = 0; open && i < 1_000; i++) {
      await this.settle();
      this.advance(1_000);
    }
    return ended;
  }
}
