import assert from "node:assert/strict";
import fc from "fast-check";
import { OutboundAliases, outboundAliasesMax } from "./outbound_aliases.ts";

Deno.test("the topic that was not used for longest gives its alias up", () => {
  const aliases = new OutboundAliases(2);
  const send = (topic: string) => {
    const choice = aliases.choose(topic);
    if (choice !== undefined) aliases.sent(topic, choice);
    return choice;
  };
  assert.deepEqual(send("topic/a"), { alias: 1, known: false });
  assert.deepEqual(send("topic/b"), { alias: 2, known: false });
  assert.deepEqual(send("topic/a"), { alias: 1, known: true });
  assert.deepEqual(send("topic/c"), { alias: 2, known: false });
  assert.deepEqual(send("topic/b"), { alias: 1, known: false });
  assert.deepEqual(send("topic/c"), { alias: 2, known: true });
});

Deno.test("a choice that was not sent changes nothing", () => {
  const aliases = new OutboundAliases(1);
  aliases.choose("topic/a");
  assert.deepEqual(aliases.choose("topic/b"), { alias: 1, known: false });
});

Deno.test("no alias where it saves nothing, costs too much or is not allowed", () => {
  assert.equal(new OutboundAliases(0).choose("topic/a"), undefined);
  assert.equal(new OutboundAliases(9).choose("a/b"), undefined);
  assert.equal(new OutboundAliases(9).choose("a".repeat(1_025)), undefined);
});

// Shows 5: 3.1.2-26, 3.3.2-8, 3.3.2-11.
Deno.test("a client that keeps what it is told always resolves the right topic", () => {
  fc.assert(
    fc.property(
      fc.nat(outboundAliasesMax + 5),
      fc.array(fc.tuple(fc.nat(80), fc.boolean()), { maxLength: 300 }),
      (countMax, sends) => {
        const aliases = new OutboundAliases(countMax);
        const client = new Map<number, string>();
        for (const [n, dropped] of sends) {
          const topic = `topic/${n}`;
          const choice = aliases.choose(topic);
          if (choice === undefined) {
            assert.equal(countMax, 0);
            continue;
          }
          assert.ok(choice.alias >= 1 && choice.alias <= Math.min(countMax, outboundAliasesMax));
          if (choice.known) assert.equal(client.get(choice.alias), topic);
          if (dropped) continue;
          client.set(choice.alias, topic);
          aliases.sent(topic, choice);
        }
      },
    ),
    { seed: 5 },
  );
});
