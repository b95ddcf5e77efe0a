/**
 * Who is at the HTTP edge, and what holds for them: by token or certificate, with the bans and the
 * rates of their account and their address.
 *
 * @module
 */
import type { BanClient } from "../actors/rates/ban.ts";
import type { Sender } from "../actors/rates/rates.ts";
import { tokenOf } from "../gateways/auth/api_guard.ts";
import { Certified, passFor } from "../gateways/auth/certified.ts";
import type { Claims } from "../gateways/auth/token.ts";
import type { TokenGate } from "../gateways/auth/token_gate.ts";
import type { Caller } from "../gateways/http/callers.ts";
import { refuseBanned } from "../gateways/http/banned.ts";
import { claimsOf, type Identity, unauthorized } from "../gateways/http/guard.ts";
import type { ClientCertificate } from "../gateways/mqtt/endpoint/arrival.ts";
import { systemClock } from "../runtime/clock.ts";
import type { WorkerBoot } from "../runtime/worker_serve.ts";
import type { Guard } from "./guard.ts";
import { WorkerAccounts } from "./worker_accounts.ts";

export interface HttpIdentityOptions {
  readonly boot: WorkerBoot;
  readonly guard: Guard;
  /** Whether accounts are asked for. */
  readonly required: boolean;
  readonly isRevoked: (certificate: ClientCertificate) => boolean;
  /** Accounts have. */
  readonly changed: () => void;
}

/** See the module. Its functions may be passed on as they are. */
export class HttpIdentity implements Identity {
  readonly clock = systemClock;
  readonly gate: TokenGate;
  readonly certified: Certified;
  readonly #guard: Guard;
  readonly #required: boolean;

  constructor({ boot, guard, required, isRevoked, changed }: HttpIdentityOptions) {
    const accounts = new WorkerAccounts(boot, guard, changed);
    this.gate = accounts.gate;
    this.certified = new Certified({
      gate: accounts.gate,
      ask: accounts.ask,
      isRevoked,
      clock: this.clock,
    });
    this.#guard = guard;
    this.#required = required;
  }

  readonly admit = (token: string): Promise<Claims | string> =>
    this.gate.admit(token, this.clock.now());

  readonly isCurrent = (claims: Claims): boolean => this.certified.isCurrent(claims);

  readonly endOf = (certificate: ClientCertificate) => this.certified.endOf(certificate);

  readonly senderOf = (account: string, address: string): Sender | undefined =>
    this.#guard.senderOf(account, address);

  readonly bannedUntilMs = (client: BanClient, comes: boolean): number =>
    comes ? this.#guard.banned(client) : this.#guard.bannedUntilMs(client);

  readonly isBanned = ({ peer, claims }: Pick<Caller, "peer" | "claims">): boolean =>
    this.bannedUntilMs({ account: claims?.name ?? "", clientId: "", address: peer }, false) > 0;

  /** Whose a token in a body is. @throws {Problem} when it is none, or its account is banned. */
  readonly shownIn = async (token: string, caller: Caller): Promise<Claims> => {
    if (!/^[\w.-]+$/.test(token)) throw unauthorized("the token is not valid");
    const claims = await claimsOf(new Headers({ authorization: `Bearer ${token}` }), caller, this);
    const client = { account: claims.name, clientId: "", address: caller.peer };
    refuseBanned(this.bannedUntilMs, client, this.clock);
    return claims;
  };

  /** A token for the main thread, which knows of no certificates. */
  readonly passFor = (claims: Claims): Promise<string> =>
    passFor(claims, this.gate.keys, this.clock.now());

  /** Who makes a request, where that is asked for and shown. Rejects when it is not good. */
  async shownBy({ headers }: Request, caller: Caller): Promise<Claims | undefined> {
    const isShown = tokenOf(headers) !== undefined || caller.certificate !== undefined;
    return this.#required && isShown ? await claimsOf(headers, caller, this) : undefined;
  }
}
