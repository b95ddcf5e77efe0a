/**
 * Many strings in their order, without sorting all of them in one go: a hundred thousand would hold
 * up a thread for longer than a reading may wait.
 *
 * @module
 */

const runMax = 1_024;

/** What is left of a sorted run. */
interface Run {
  readonly strings: readonly string[];
  at: number;
}

/**
 * The strings by their UTF-16 code units, after an `undefined` for each run of 1,024 that was
 * sorted on the way: a moment to let others have their turn.
 *
 * @example
 * ```ts
 * import { inOrder } from "./in_order.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...inOrder(["b", "c", "a"])], [undefined, "a", "b", "c"]);
 * ```
 */
export function* inOrder(strings: Iterable<string>): Generator<string | undefined, void> {
  const runs: Run[] = [];
  let gathered: string[] = [];
  const sortRun = () => {
    runs.push({ strings: gathered.sort(), at: 0 });
    gathered = [];
  };
  for (const text of strings) {
    if (gathered.push(text) < runMax) continue;
    sortRun();
    yield undefined;
  }
  if (gathered.length > 0) {
    sortRun();
    yield undefined;
  }
  yield* merged(runs);
}

const head = ({ strings, at }: Run): string => strings[at]!;

/** By a heap of the runs: the one whose next string comes first is on top. */
function* merged(heap: Run[]): Generator<string, void> {
  heap.sort((a, b) => head(a) < head(b) ? -1 : 1);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    yield head(top);
    if (++top.at === top.strings.length) {
      const last = heap.pop()!;
      if (last === top) return;
      heap[0] = last;
    }
    sink(heap);
  }
}

/** Puts the run on top where it belongs. */
function sink(heap: Run[]): void {
  const run = heap[0]!;
  const text = head(run);
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && head(right) < head(heap[child]!)) child++;
    if (text <= head(heap[child]!)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = run;
}
