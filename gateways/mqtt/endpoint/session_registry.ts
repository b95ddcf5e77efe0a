/**
 * The sessions of one shard: all of them, and the connected ones by client id.
 *
 * @module
 */

/** What the registry and the listener need of a session. */
export interface RegisteredSession {
  /** Ends this session for one that came later under the same client id [MQTT-3.1.4-3]. */
  takeOver(): void;
}

/** See the module. */
export class SessionRegistry<S extends RegisteredSession> {
  readonly #all = new Set<S>();
  readonly #byClientId = new Map<string, S>();

  get size(): number {
    return this.#all.size;
  }

  get connected(): number {
    return this.#byClientId.size;
  }

  values(): SetIterator<S> {
    return this.#all.values();
  }

  add(session: S): void {
    this.#all.add(session);
  }

  /** Gives the client id to this session and takes it from the one that has it. */
  connect(clientId: string, session: S): void {
    const before = this.#byClientId.get(clientId);
    this.#byClientId.set(clientId, session);
    if (before !== session) before?.takeOver();
  }

  /** Ends the session of a client that has connected elsewhere. */
  takeOver(clientId: string): void {
    this.#byClientId.get(clientId)?.takeOver();
  }

  delete(session: S, clientId: string | undefined): void {
    this.#all.delete(session);
    if (clientId !== undefined && this.#byClientId.get(clientId) === session) {
      this.#byClientId.delete(clientId);
    }
  }
}
