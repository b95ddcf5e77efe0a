/**
 * The actor runtime, by itself: typed actors with bounded mailboxes, OTP's supervision, keyed
 * actors that come and go with their mail, and the same refs across Workers.
 *
 * @example
 * ```ts
 * import { type ActorRef, ActorSystem } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * type Message = { celsius: number } | { mean: ActorRef<number> };
 *
 * const system = new ActorSystem({ name: "home" });
 * const rooms = system.spawnKeyed<Message>({
 *   id: "rooms",
 *   start: () => {
 *     let [sum, count] = [0, 0];
 *     return {
 *       receive(message) {
 *         if ("mean" in message) message.mean.tell(sum / count);
 *         else if (Number.isNaN(message.celsius)) throw new RangeError("no temperature");
 *         else [sum, count] = [sum + message.celsius, count + 1];
 *       },
 *     };
 *   },
 * });
 * for (const celsius of [20, 22]) rooms.ref("kitchen").tell({ celsius });
 * // A bad message crashes its own actor only, and ends as a dead letter with its reason.
 * system.deadLetters.subscribe(({ reason, failure }) => {
 *   assert.deepEqual([reason, failure?.message], ["crashed", "no temperature"]);
 * });
 * rooms.ref("cellar").tell({ celsius: NaN });
 * const mean = (replyTo: ActorRef<number>) => ({ mean: replyTo });
 * assert.equal(await system.ask(rooms.ref("kitchen"), mean, 1000), 21);
 * await system.stop();
 * assert.equal(system.deadLetters.byReason.get("crashed"), 1);
 * ```
 *
 * @module
 */
export type {
  Actor,
  ActorFactory,
  ActorRef,
  Backoff,
  ChildSpec,
  Context,
  MailboxLimits,
  RestartType,
  Signal,
  StopReason,
  SupervisionSpec,
  TellResult,
} from "./actor.ts";
export { AskError } from "./ask.ts";
export type { SupervisionEvent } from "./cell_host.ts";
export type { CellState } from "./cell.ts";
export { type Clock, ManualClock, systemClock, type Timer } from "./clock.ts";
export {
  type DeadLetter,
  type DeadLetterListener,
  type DeadLetterReason,
  DeadLetters,
} from "./dead_letters.ts";
export {
  type DispatcherOptions,
  eventLoopScheduler,
  manualScheduler,
  type Scheduler,
} from "./dispatcher.ts";
export { type Failure, failureOf, failurePlace } from "./failure.ts";
export type { ActorView, KindSummary } from "./inspect.ts";
export type { Keyed, KeyedSpec } from "./keyed.ts";
export { type Random, seededRandom } from "./random.ts";
export type { Registry } from "./registry.ts";
export { type AskOptions, Link, type LinkHandlers, type LinkOptions } from "./remote_link.ts";
export { PublishedNames } from "./remote_names.ts";
export { isRef } from "./remote_ref.ts";
export { ActorSystem, type SystemOptions } from "./system.ts";
export { isWatchable, type WatchableRef, type Watcher } from "./watch.ts";
export { type FleetEvents, WorkerFleet } from "./worker_fleet.ts";
export {
  type WorkerEvents,
  WorkerHost,
  type WorkerHostOptions,
  type WorkerState,
  type WorkerView,
} from "./worker_host.ts";
export type { WorkerHandle, WorkerSpec } from "./worker_spec.ts";
export type { StartWait } from "./worker_start.ts";
export {
  serveWorker,
  type WorkerBoot,
  type WorkerProgram,
  type WorkerScope,
} from "./worker_serve.ts";
