/**
 * What a ban is, and whom it is for.
 *
 * @module
 */

/** One client id of one account, an account, or an IP address (of IPv6, a /64). */
export const banSubjects = ["client", "account", "address"] as const;
export type BanSubject = typeof banSubjects[number];

/** Who connects. An empty account is nobody's, and an empty client id a client that gave none. */
export interface BanClient {
  readonly account: string;
  readonly clientId: string;
  readonly address: string;
}

/** See the module. */
export interface Ban {
  /** From {@linkcode banKey}. */
  readonly key: string;
  readonly subject: BanSubject;
  /** `flapping`, or what the one who banned by hand said. */
  readonly reason: string;
  /** The account that banned by hand; absent when Sluice did by itself. */
  readonly by?: string;
  /** Wall times, ms. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * What a client's ban is called: `client:{account}:{client id}`, `account:{account}` or
 * `address:{address}`; `undefined` when the client has none to be banned by. A `%` or a `:` of an
 * account is written as in a URL, so no two clients have one key.
 */
export function banKey(subject: BanSubject, client: BanClient): string | undefined {
  const { account, clientId, address } = client;
  const owner = account.replace(/[%:]/g, encodeURIComponent);
  switch (subject) {
    case "client":
      return clientId === "" ? undefined : `client:${owner}:${clientId}`;
    case "account":
      return account === "" ? undefined : `account:${owner}`;
    case "address":
      return address === "" ? undefined : `address:${address}`;
    default:
      return subject satisfies never;
  }
}
