/**
 * Has a table of topics forget those that are not in use, as devices are put aside: a topic that is
 * heard again is worked out anew.
 *
 * @module
 */
import type { ActorSystem } from "../runtime/system.ts";

/**
 * Starts the actor that does it. A topic that nothing was heard of for `idleMs` is forgotten; it
 * takes as long once more at most.
 */
export function spawnTopicSweep(
  system: ActorSystem,
  topics: { forgetIdle(): void },
  idleMs: number,
): void {
  system.spawn<"sweep">({
    id: "topics",
    mailbox: { countMax: 1 },
    start: (context) => {
      context.startTimer("sweep", idleMs, "sweep");
      return {
        receive: () => {
          topics.forgetIdle();
          context.startTimer("sweep", idleMs, "sweep");
        },
      };
    },
  });
}
