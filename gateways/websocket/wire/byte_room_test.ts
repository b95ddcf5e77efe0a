import assert from "node:assert/strict";
import { ByteRoom } from "./byte_room.ts";

Deno.test("who asks for more than there is waits for its turn, and nobody overtakes", async () => {
  const room = new ByteRoom(10);
  const granted: string[] = [];
  const take = (name: string, bytes: number) => room.take(bytes).then(() => granted.push(name));
  await take("first", 8);
  const large = take("large", 6);
  const small = take("small", 1);
  assert.equal(room.tryTake(1), false);
  await Promise.resolve();
  assert.deepEqual(granted, ["first"]);
  room.give(8);
  await Promise.all([large, small]);
  assert.deepEqual([granted, room.usedBytes], [["first", "large", "small"], 7]);
  assert.equal(room.tryTake(3), true);
  await assert.rejects(room.take(11), RangeError);
});
