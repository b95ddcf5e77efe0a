import assert from "node:assert/strict";
import { onUncaught } from "./uncaught.ts";

Deno.test("what nobody caught is told with its cause, and does not end the process", () => {
  const scope = new EventTarget();
  const told: unknown[] = [];
  onUncaught(scope, (cause) => told.push(cause));
  const promise = Promise.reject("later");
  promise.catch(() => {});
  const events = [
    new ErrorEvent("error", { error: "now", cancelable: true }),
    new PromiseRejectionEvent("unhandledrejection", { promise, reason: "later", cancelable: true }),
  ];
  for (const event of events) {
    scope.dispatchEvent(event);
    assert.equal(event.defaultPrevented, true);
  }
  assert.deepEqual(told, ["now", "later"]);
});
