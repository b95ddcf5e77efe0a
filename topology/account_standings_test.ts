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
