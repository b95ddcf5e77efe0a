/**
 * The login alone, as a fetch handler: for Deno Deploy, or `deno serve`. It answers `POST /login` of
 * the accounts in PostgreSQL with a token that every Sluice of the same key takes, and says where to
 * connect. It needs the network and its environment, and neither files nor Workers.
 *
 * ```sh
 * SLUICE_POSTGRES_URL=postgres://… SLUICE_JWT_SECRET=… \
 *   deno serve --allow-net --allow-env gateways/auth/main.ts
 * ```
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import { Problem, problemResponse } from "../http/problem.ts";
import { secured } from "../http/security.ts";
import { readDeployment } from "./deployment.ts";
import { answerLogin, type LoginParts } from "./login.ts";
import { Logins } from "./logins.ts";
import { PasswordHasher } from "./password.ts";
import { PasswordChecker } from "./password_checker.ts";
import { PostgresAccounts } from "./postgres_accounts.ts";
import { webScrypt } from "./web_scrypt.ts";

const { postgresUrl, keys, tokenLifetimeS, endpoints } = await readDeployment(Deno.env.toObject());
const parts: LoginParts = {
  logins: new Logins({
    store: new PostgresAccounts(postgresUrl),
    clock: systemClock,
    // There is one thread: more at once would only make each take longer.
    passwords: new PasswordChecker(new PasswordHasher(webScrypt), { atOnceMax: 1, waitingMax: 15 }),
    keys,
    tokenLifetimeS,
    endpoints,
  }),
  clock: systemClock,
  refused: (login) => write("a login failed", login),
  failed: (cause) => write("a login could not be checked", { cause: String(cause) }),
};

/** One line, whatever a client or a driver says. */
function write(message: string, fields: Readonly<Record<string, string>>): void {
  // deno-lint-ignore no-console -- the log of a deployment, and all that Web APIs have
  console.warn(`${message}: ${JSON.stringify(fields)}`);
}

async function answer(request: Request, address: string): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/login") return await answerLogin(request, address, parts);
  await request.body?.cancel();
  if (pathname === "/healthz") return new Response("ok\n");
  return problemResponse(new Problem("not-found", "POST /login is all there is"));
}

async function fetch(
  request: Request,
  { remoteAddr }: Deno.ServeHandlerInfo<Deno.Addr>,
): Promise<Response> {
  return secured(await answer(request, "hostname" in remoteAddr ? remoteAddr.hostname : ""));
}

// What Deno Deploy and `deno serve` ask for: the one default export of this program.
export default { fetch } satisfies Deno.ServeDefaultExport;
