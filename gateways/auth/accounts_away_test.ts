import assert from "node:assert/strict";
import { AccountsAwayError, saysAway } from "./accounts_away.ts";

const coded = (code: string | undefined, name = "Error"): Error =>
  Object.assign(new Error("of a test"), { name, code });

Deno.test("an error of the connection or the server is told from one of a statement", () => {
  for (
    const error of [
      coded("ECONNREFUSED"),
      coded("ENOTFOUND"),
      coded("CONNECTION_CLOSED"),
      coded("CONNECT_TIMEOUT"),
      coded("57P01", "PostgresError"), // the administrator stops it
      coded("57P03", "PostgresError"), // it is starting
      coded("53300", "PostgresError"), // too many connections
      coded("28P01", "PostgresError"), // the password is wrong
      coded("3D000", "PostgresError"), // there is no such database
    ]
  ) assert.ok(saysAway(error), String(Object.entries(error)));
  for (
    const error of [
      coded(undefined),
      coded("42P01", "PostgresError"), // no such table
      coded("57014", "PostgresError"), // the statement took too long
      coded("08006"),
      new TypeError("Cannot read an account"),
    ]
  ) assert.ok(!saysAway(error), String(Object.entries(error)));
});

Deno.test("what is told has the words of the one who knows", () => {
  const cause = new Error("connect ECONNREFUSED 127.0.0.1:5432");
  const error = new AccountsAwayError(cause);
  assert.equal(
    error.message,
    "the accounts' database does not answer: connect ECONNREFUSED 127.0.0.1:5432",
  );
  assert.equal(error.cause, cause);
});
