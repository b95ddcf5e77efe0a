import assert from "node:assert/strict";
import { AccountsAwayError } from "../gateways/auth/accounts_away.ts";
import { record } from "../gateways/auth/testing/account_store_cases.ts";
import type { StandingsReply } from "./account_messages.ts";
import { AccountStandings } from "./account_standings.ts";

/** The names whose standing is told; finding `bad` fails with this. */
async function told(cause: Error): Promise<readonly string[] | undefined> {
  const failures: unknown[] = [];
  const standings = new AccountStandings({
    find: (name) => name === "bad" ? Promise.reject(cause) : Promise.resolve(record(name)),
  }, (failure) => failures.push(failure));
  const { promise, resolve } = Promise.withResolvers<StandingsReply>();
  standings.tell({
    names: ["a", "bad", "b"],
    replyTo: {
      path: "test",
      tell: (reply) => {
        resolve(reply);
        return "accepted";
      },
    },
  });
  const reply = await promise;
  assert.deepEqual(failures, [cause]);
  return reply.standings?.map(({ name }) => name);
}

Deno.test("an account that cannot be read does not hold up others", async () => {
  assert.deepEqual(await told(new TypeError("Cannot read column kind")), ["a", "b"]);
});

Deno.test("nothing is told of accounts while their database is away", async () => {
  assert.equal(await told(new AccountsAwayError(new Error("gone"))), undefined);
});

/** What is told of these accounts, each with a list of so many characters. */
async function toldWith(
  listChars: Readonly<Record<string, number>>,
  told: (reply: StandingsReply) => void,
): Promise<StandingsReply> {
  const { promise, resolve } = Promise.withResolvers<StandingsReply>();
  const standings = new AccountStandings({
    find: (name) => Promise.resolve({ ...record(name), read: ["x".repeat(listChars[name]!)] }),
  }, (cause) => assert.fail(String(cause)));
  standings.tell({
    names: Object.keys(listChars),
    replyTo: {
      path: "test",
      tell: (reply) => {
        told(reply);
        resolve(reply);
        return "accepted";
      },
    },
  });
  return await promise;
}

Deno.test("an answer has as many accounts as it has room for, and none that is too large", async () => {
  const chars = { a: 100_000, large: 300_000, b: 100_000, c: 100_000, d: 10 };
  const { standings } = await toldWith(chars, () => {});
  assert.deepEqual(standings?.map(({ name }) => name), ["a", "b"]);
});

Deno.test("an answer that cannot be sent is told as none", async () => {
  const { standings } = await toldWith({ a: 10 }, (reply) => {
    if (reply.standings !== undefined) throw new RangeError("too large");
  });
  assert.equal(standings, undefined);
});
