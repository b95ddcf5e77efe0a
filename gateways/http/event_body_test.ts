import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { turns } from "../testing/turns.ts";
import { EventBody } from "./event_body.ts";

/** A body whose events are what `make` returns, one after the other. */
function open(make: (body: EventBody, order: number) => Promise<string> | string) {
  const clock = new ManualClock();
  let asked = 0;
  let ended = 0;
  const body: EventBody = new EventBody(
    clock,
    async () => {
      const event = await make(body, ++asked);
      if (!body.ended) body.send(event);
    },
    () => ended++,
  );
  const reader = body.stream.getReader();
  const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
  return { clock, body, reader, next, asked: () => asked, ended: () => ended };
}

Deno.test("events are asked for at the pace at which they are taken, one ahead", async () => {
  const { reader, next, asked } = open((_body, order) => `data: ${order}\n\n`);
  assert.equal(await next(), "data: 1\n\n");
  assert.equal(await next(), "data: 2\n\n");
  await turns();
  assert.equal(asked(), 3);
  await reader.cancel();
});

Deno.test("a wait ends when its time is up, or earlier when it is woken", async () => {
  const waitsMs = [0, 5, 5, Infinity];
  const { clock, body, reader, next } = open(async (body, order) =>
    String(await body.wait(waitsMs[order - 1]!))
  );
  assert.equal(await next(), "false");
  await turns();
  clock.advance(4);
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.equal(await next(), "false");
  await turns();
  body.wake();
  assert.equal(await next(), "true");
  await reader.cancel();
  assert.equal(clock.pending, 0);
});

for (const side of ["viewer", "server"] as const) {
  Deno.test(`a ${side} that ends the stream ends the wait, and it ends once`, async () => {
    const waited: boolean[] = [];
    const { clock, body, reader, ended } = open(async (body) => {
      waited.push(await body.wait(60_000), await body.wait(60_000));
      return "";
    });
    await turns();
    assert.equal(clock.pending, 1);
    if (side === "viewer") await reader.cancel();
    else body.close();
    body.close();
    await turns();
    assert.deepEqual(waited, [true, true]);
    assert.deepEqual([ended(), clock.pending, body.ended], [1, 0, true]);
    assert.equal((await reader.read()).done, true);
  });
}
