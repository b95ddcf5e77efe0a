import assert from "node:assert/strict";
import { subscriptionAnswer, subscriptionChange, wireFilters } from "./subscriptions.ts";

Deno.test("a filter that another one covers is not subscribed to beside it", () => {
  for (
    const [filters, wanted] of [
      [["+/+", "device/+", "+/+/position"], ["+/+", "+/+/position"]],
      [["#", "a/b", "+"], ["#"]],
      [["a/#", "a", "a/b/c", "b/#"], ["a/#", "b/#"]],
      [["+/b", "a/+"], ["+/b", "a/+"]],
      [["#", "$weather/+"], ["#", "$weather/+"]],
      [["a/+", "a/#"], ["a/#"]],
      [["a/b", "a/b"], ["a/b"]],
    ] as const
  ) assert.deepEqual(wireFilters(filters, undefined), wanted);
});

Deno.test("a kept session gives up what nobody wants any more", () => {
  assert.deepEqual(subscriptionChange(["a", "b"], ["b", "c"], true), {
    subscribe: ["c"],
    unsubscribe: ["a"],
  });
  assert.deepEqual(subscriptionChange(["a", "b"], ["b", "c"], false), {
    subscribe: ["b", "c"],
    unsubscribe: [],
  });
});

Deno.test("what the broker refuses is not held, also when that is all", () => {
  const wanted = ["a/+", "b/+", "old/+"];
  assert.deepEqual(subscriptionAnswer(["a/+", "b/+"], wanted, [0x87, 1]), {
    held: ["b/+", "old/+"],
    refused: [{ filter: "a/+", code: 0x87 }],
  });
  assert.deepEqual(subscriptionAnswer(["a/+"], ["a/+"], [0x80])?.held, []);
  assert.equal(subscriptionAnswer(["a/+"], ["a/+"], []), undefined);
});
