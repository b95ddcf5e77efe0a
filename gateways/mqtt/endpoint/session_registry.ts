/**
 * The sessions of one shard: all of them, and the connected ones by session key.
 *
 * @module
 */

/** What the registry and the listener need of a session. */
export interface RegisteredSession {
  /**
   * Ends this session for one that came later under the same key [MQTT-3.1.4-3]. `order`: of one
   * elsewhere, which may have come before.
   */
  takeOver(order?: number): void;
  /** Ends this session, which has said nothing, for one that wants its place. */
  makeRoom(): void;
}

/** See the module. */
export class SessionRegistry<S extends RegisteredSession> {
  readonly #all = new Set<S>();
  /** Those whose CONNECT has not come, the oldest first. */
  readonly #silent = new Set<S>();
  readonly #byKey = new Map<string, S>();

  get size(): number {
    return this.#all.size;
  }

  get connected(): number {
    return this.#byKey.size;
  }

  values(): SetIterator<S> {
    return this.#all.values();
  }

  add(session: S): void {
    this.#all.add(session);
    this.#silent.add(session);
  }

  /** Its CONNECT has come. */
  spoke(session: S): void {
    this.#silent.delete(session);
  }

  /** Ends the session that has been silent for longest; false when there is none. */
  endSilent(): boolean {
    for (const session of this.#silent) {
      this.#silent.delete(session);
      session.makeRoom();
      return true;
    }
    return false;
  }

  /** Gives the key to this session and takes it from the one that has it. */
  connect(key: string, session: S): void {
    const before = this.#byKey.get(key);
    this.#byKey.set(key, session);
    if (before !== session) before?.takeOver();
  }

  /** A client has connected elsewhere: its session here ends, unless that is a later one. */
  takeOver(key: string, order: number): void {
    this.#byKey.get(key)?.takeOver(order);
  }

  delete(session: S, key: string | undefined): void {
    this.#all.delete(session);
    this.#silent.delete(session);
    if (key !== undefined && this.#byKey.get(key) === session) {
      this.#byKey.delete(key);
    }
  }
}
