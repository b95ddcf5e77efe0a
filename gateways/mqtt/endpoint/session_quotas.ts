/**
 * Sessions in the quotas of their accounts: those that are kept have their places in their file.
 *
 * @module
 */
import type { AccountQuotas, PlacesElsewhere } from "../../../actors/rates/account_quotas.ts";
import type { KeptAccounts } from "../kept/kept_accounts.ts";
import { type Quotas, sessionKey } from "./endpoint_options.ts";

/** Where no session is kept. */
const nowhere: PlacesElsewhere = { own: false, count: () => 0 };

export function sessionQuotas(
  quotas: AccountQuotas,
  kept: Pick<KeptAccounts, "places"> | undefined,
): Quotas {
  return {
    enter: (session) => {
      const key = sessionKey(session);
      const elsewhere = () => kept?.places(session.account, key) ?? nowhere;
      return quotas.enter(session.account, key, elsewhere);
    },
    take: (session) => quotas.take(session.account, sessionKey(session)),
    left: (session) => quotas.left(session.account, sessionKey(session)),
    subscriptionsOf: ({ account }) => quotas.subscriptionsOf(account),
  };
}
