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
import { Accounts } from "./accounts.ts";
import { readDeployment } from "./deployment.ts";
import { answerLogin } from "./login.ts";
import { PostgresAccounts } from "./postgres_accounts.ts";

const { postgresUrl, keys, tokenLifetimeS, endpoints } = await readDeployment(Deno.env.toObject());
const accounts = new Accounts({
  store: new PostgresAccounts(postgresUrl),
  clock: systemClock,
  keys,
  tokenLifetimeS,
  endpoints,
});

async function fetch(
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.Addr>,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/login") {
    const { remoteAddr } = info;
    const address = "hostname" in remoteAddr ? remoteAddr.hostname : "";
    return await answerLogin(request, accounts, address, (cause) => {
      write(`a login could not be checked: ${JSON.stringify(String(cause))}\n`);
    });
  }
  await request.body?.cancel();
  if (pathname === "/healthz") return new Response("ok\n");
  return new Response("POST /login is all there is\n", { status: 404 });
}

/** One line on stderr, whatever a driver says. */
function write(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

// What Deno Deploy and `deno serve` ask for: the one default export of this program.
export default { fetch } satisfies Deno.ServeDefaultExport;
