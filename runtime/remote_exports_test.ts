import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorRef, TellResult } from "./actor.ts";
import { RemoteExports } from "./remote_exports.ts";
import type { OneShotRef } from "./remote_ref.ts";

const refs = Array.from({ length: 4 }, (_, i): ActorRef<unknown> => ({
  path: `actor ${i}`,
  tell: () => "accepted",
}));

Deno.test("an actor is held as long as the other end has let go of it less often than it was sent", () => {
  const step = fc.oneof(
    fc.record({ send: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), kept: fc.boolean() }),
    fc.record({ release: fc.nat(3), times: fc.integer({ min: 1, max: 3 }) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const exports = new RemoteExports(4);
    const held = [0, 0, 0, 0];
    const ids = new Map<number, number>();
    for (const action of steps) {
      if ("send" in action) {
        for (const which of action.send) {
          const id = exports.idOf(refs[which]!);
          if (held[which]! > 0) assert.equal(id, ids.get(which));
          ids.set(which, id);
          if (action.kept) held[which]!++;
        }
        exports.written(action.kept);
      } else {
        const { release, times } = action;
        if (held[release]! < times) continue;
        exports.released(ids.get(release)!, times);
        held[release]! -= times;
      }
      assert.equal(exports.count, held.filter((count) => count > 0).length);
      held.forEach((count, which) => {
        if (count > 0) assert.equal(exports.get(ids.get(which)!), refs[which]);
      });
    }
  }));
});

class Reply implements OneShotRef<unknown> {
  readonly path = "reply";
  readonly oneShot = true;
  open = true;

  tell(): TellResult {
    return "accepted";
  }
}

Deno.test("a ref for one answer is used up by it; a number never comes again", () => {
  const exports = new RemoteExports(4);
  const reply = new Reply();
  const id = exports.idOf(reply);
  exports.written(true);
  assert.equal(exports.take(id), reply);
  assert.equal(exports.take(id), undefined);
  assert.notEqual(exports.idOf(reply), id);
});

Deno.test("answers that never came make room, those still awaited do not", () => {
  const exports = new RemoteExports(2_000);
  const replies = Array.from({ length: 2_000 }, () => new Reply());
  for (const reply of replies) {
    exports.idOf(reply);
    exports.written(true);
  }
  assert.throws(() => exports.idOf(new Reply()), RangeError);
  for (const reply of replies.slice(1)) reply.open = false;
  exports.idOf(new Reply());
  exports.written(true);
  assert.equal(exports.count, 2);
});
