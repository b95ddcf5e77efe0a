import assert from "node:assert/strict";
import { Lane, type LaneItem } from "./lane.ts";

const mail = (message: unknown): LaneItem => ({ kind: "mail", message, crashes: 0 });
const taken = (lane: Lane): unknown[] => {
  const all: unknown[] = [];
  while (!lane.empty) {
    const item = lane.take();
    all.push(item.kind === "mail" ? item.message : item.kind);
  }
  return all;
};

Deno.test("a lane gives back in order, what was put first before all", () => {
  const lane = new Lane();
  assert.ok(lane.empty);
  for (const message of [3, 4, 5]) lane.push(mail(message));
  assert.equal(lane.take().kind, "mail");
  lane.pushFirst([mail(1), mail(2)]);
  lane.push(mail(6));
  assert.deepEqual(taken(lane), [1, 2, 4, 5, 6]);
  lane.push(mail(7));
  assert.deepEqual(taken(lane), [7]);
});
