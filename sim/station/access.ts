/**
 * Where a station connects and with what: the endpoints that its login named, one after the other,
 * and a new login when its token is no good any more or none of them answers. So a station follows
 * its service to another place, and to the instance that is to serve it.
 *
 * @module
 */
import type { LogIn } from "./login.ts";

/** A place to connect to. */
export interface Place {
  readonly url: string;
  readonly token: string | undefined;
}

export interface AccessOptions {
  /** Where to connect when nobody answers at the places that the login names, or there are none. */
  readonly url: string;
  /** Good until it is refused; without a login, always. */
  readonly token?: string;
  readonly logIn?: LogIn;
}

/** See the module. */
export class Access {
  readonly #options: AccessOptions;
  #places: readonly Place[] = [];
  #at = 0;
  /** Logins that were granted. */
  logins = 0;

  constructor(options: AccessOptions) {
    this.#options = options;
    const { url, token, logIn } = options;
    if (logIn === undefined || token !== undefined) this.#places = [{ url, token }];
  }

  /** Where to connect now. Rejects when there is to be a login, and it fails. */
  async place(): Promise<Place> {
    return this.#places[this.#at] ?? await this.renewed();
  }

  /** Logs in again, and gives the best place; without a login, the one there is. */
  async renewed(): Promise<Place> {
    const { logIn, url } = this.#options;
    this.#at = 0;
    if (logIn !== undefined) {
      const { token, endpoints } = await logIn();
      this.logins++;
      const urls = new Set([...endpoints.filter(isForStations), url]);
      this.#places = [...urls].map((url) => ({ url, token }));
    }
    return this.#places[0]!;
  }

  /** Nobody answered there: the next place, and after the last one a new login. */
  unanswered(): void {
    this.#at++;
    if (this.#options.logIn === undefined) this.#at = 0;
  }

  /** The token was refused. */
  refused(): void {
    if (this.#options.logIn !== undefined) this.#places = [];
  }
}

/** MQTT comes over WebSocket too, at another path. */
const isForStations = (endpoint: string): boolean => {
  const url = URL.parse(endpoint);
  return url !== null && /^wss?:$/.test(url.protocol) && url.pathname === "/ws";
};
