/**
 * How a station logs in: `POST /login` of the service, or of its login on Deno Deploy.
 *
 * @module
 */

/** What a login gives. */
export interface Granted {
  readonly token: string;
  /** Where to connect, best first; of every protocol. */
  readonly endpoints: readonly string[];
}

/** Rejects with a `LoginError`, or with what the network says. */
export type LogIn = () => Promise<Granted>;

/** The login was answered, and not granted. */
export class LoginError extends Error {
  override readonly name = "LoginError";

  /** @param waitMs how long to wait before the next try, in ms. */
  constructor(message: string, readonly waitMs: number) {
    super(message);
  }
}

const deadlineMs = 10_000;
/** A wrong password is not right a moment later, and tries are limited. */
const wrongWaitMs = 30_000;

/** @param client with the authorities to trust; without one the system's. */
export function loginAt(
  url: string,
  { name, password, client }: {
    readonly name: string;
    readonly password: string;
    readonly client?: Deno.HttpClient;
  },
): LogIn {
  return async () => {
    const answer = await fetch(url, {
      ...(client !== undefined && { client }),
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({ name, password }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await answer.text();
    if (answer.status === 200) return grantedOf(JSON.parse(text));
    const retryS = Number(answer.headers.get("retry-after") ?? NaN);
    throw new LoginError(
      `the login of ${name} at ${url} was answered ${answer.status}`,
      Number.isFinite(retryS) ? retryS * 1_000 : answer.status === 401 ? wrongWaitMs : 0,
    );
  };
}

function grantedOf(answer: unknown): Granted {
  if (typeof answer === "object" && answer !== null && "token" in answer) {
    const { token } = answer;
    const endpoints = "endpoints" in answer ? answer.endpoints : [];
    if (
      typeof token === "string" && Array.isArray(endpoints) &&
      endpoints.every((endpoint) => typeof endpoint === "string")
    ) return { token, endpoints };
  }
  throw new LoginError("the answer to the login is none", 0);
}
