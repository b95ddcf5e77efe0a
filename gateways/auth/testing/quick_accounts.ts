/**
 * Accounts in memory whose passwords cost nothing, for tests.
 *
 * @module
 */
import { ManualClock } from "../../../runtime/clock.ts";
import { Accounts } from "../accounts.ts";
import { Logins } from "../logins.ts";
import { nativeScrypt } from "../native_scrypt.ts";
import { PasswordHasher } from "../password.ts";
import { PasswordChecker } from "../password_checker.ts";
import { SqliteAccounts } from "../sqlite_accounts.ts";
import { type TokenKey, tokenKey } from "../token.ts";

export const quickScrypt = { ln: 4, r: 1, p: 1 } as const;

export interface QuickAccounts extends AsyncDisposable {
  readonly accounts: Accounts;
  readonly logins: Logins;
  readonly clock: ManualClock;
  readonly store: SqliteAccounts;
  readonly hasher: PasswordHasher;
  readonly keys: readonly TokenKey[];
}

export async function quickAccounts(): Promise<QuickAccounts> {
  const clock = new ManualClock(1_800_000_000_000);
  const store = new SqliteAccounts(":memory:");
  const hasher = new PasswordHasher(nativeScrypt, quickScrypt);
  const keys = [await tokenKey("one key of at least thirty-two bytes")];
  const endpoints = ["mqtts://one.example:8883", "mqtts://two.example:8883"];
  const passwords = new PasswordChecker(hasher);
  return {
    accounts: new Accounts({ store, clock, passwords }),
    logins: new Logins({ store, clock, passwords, keys, endpoints, tokenLifetimeS: 3_600 }),
    clock,
    store,
    hasher,
    keys,
    [Symbol.asyncDispose]: () => store.close(),
  };
}
