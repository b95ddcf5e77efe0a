import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import type { RetainedPage } from "../../mqtt/pubsub/retained_feed.ts";
import { Problem } from "../problem.ts";
import { CurrentValues } from "./current_values.ts";

/** Of a shard in which nothing of the topic was seen, and that knows no device of it. */
const values = (page: RetainedPage): CurrentValues =>
  new CurrentValues({
    retained: { page: () => page },
    watches: { of: () => undefined },
    devices: { idOf: () => undefined, find: () => Promise.resolve(undefined) },
    clock: new ManualClock(),
  });

const isUnavailable = (cause: unknown): boolean =>
  cause instanceof Problem && cause.type === "unavailable" && "retry-after" in cause.headers;

Deno.test("while what is retained cannot be read, nobody is told that there is nothing", async () => {
  const empty = { messages: [], after: undefined };
  assert.equal(await values(empty).of("a", undefined), undefined);
  await assert.rejects(values({ ...empty, failed: true }).of("a", undefined), isUnavailable);
});

Deno.test("no condition of a change holds or fails on a value that cannot be read", async () => {
  const request = new Request("http://h/", { method: "PUT", headers: { "if-none-match": "*" } });
  const empty = { messages: [], after: undefined };
  (await values(empty).conditions(request, "a", undefined))();
  const unread = values({ ...empty, failed: true });
  await assert.rejects(unread.conditions(request, "a", undefined), isUnavailable);
});
