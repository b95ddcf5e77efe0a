/**
 * Brings what this shard knows of kept sessions up to what their file says. What cannot be read is
 * tried again; until then, what was known of it holds, and one session keeps no other from being
 * known.
 *
 * @module
 */
import type { Evict, KeptDirectory } from "./kept_directory.ts";
import type { KeptRecord } from "./kept_records.ts";
import type { KeptSession } from "./kept_session.ts";
import type { KeptStore } from "./kept_store.ts";

/** Sessions that are tried once more at a time. */
const lateMax = 10;

/** See the module. */
export class KeptReader {
  readonly #store: KeptStore;
  readonly #directory: KeptDirectory;
  readonly #evict: Evict;
  readonly #late: (session: KeptSession) => void;
  #revision = -1;
  /** It is not known which sessions there are. */
  #unknown = false;
  readonly #unread = new Set<number>();

  /** `late`: it was not known for a while where the client of a session is. */
  constructor(
    store: KeptStore,
    directory: KeptDirectory,
    evict: Evict,
    late: (session: KeptSession) => void,
  ) {
    this.#store = store;
    this.#directory = directory;
    this.#evict = evict;
    this.#late = late;
  }

  /** It is not known which sessions there are. */
  get unknown(): boolean {
    return this.#unknown;
  }

  /** Of some it is not known what they subscribed to, or not of late. */
  get behind(): boolean {
    return this.#unread.size > 0;
  }

  /** Reads one session. False: it could not be read. */
  read(id: number): boolean {
    const isLate = this.#unread.has(id);
    const record = this.#record(id);
    if (record === undefined) return false;
    this.#directory.apply(id, record.found, this.#evict);
    const session = isLate ? this.#directory.byId(id) : undefined;
    if (session !== undefined) this.#late(session);
    return true;
  }

  /** Reads every session, if any has changed. */
  readAll(): void {
    const there = this.#store.use(({ records }) => {
      const { revision } = records;
      return { revision, ids: revision === this.#revision ? undefined : records.ids };
    });
    this.#unknown = there === undefined;
    if (there?.ids === undefined) return;
    this.#revision = there.revision;
    const records = there.ids.map((id) => this.#record(id)?.found)
      .filter((record) => record !== undefined);
    this.#directory.replace(new Set(there.ids), records, this.#evict);
  }

  /** Tries once more to learn which sessions there are. False: it is not known. */
  know(): boolean {
    if (this.#unknown) this.readAll();
    return !this.#unknown;
  }

  /** Tries what could not be read, a few at a time. */
  readLate(): void {
    this.know();
    for (const id of [...this.#unread].slice(0, lateMax)) this.read(id);
  }

  #record(id: number): { readonly found: KeptRecord | undefined } | undefined {
    this.#unread.delete(id);
    const record = this.#store.use(({ records }) => ({ found: records.session(id) }));
    if (record === undefined) {
      this.#unread.add(id); // Behind the others.
      this.#doubt(id);
    }
    return record;
  }

  /** A claim elsewhere counts on its connection here being over. */
  #doubt(id: number): void {
    const session = this.#directory.byId(id);
    if (session === undefined) return;
    const { attachment } = session;
    const place = this.#store.use(({ records }) => records.place(id));
    if (place === undefined) return attachment?.host.unreadable();
    session.epoch = place.epoch;
    session.holder = place.holder;
    if (attachment !== undefined && attachment.epoch !== place.epoch) this.#evict(session, true);
  }
}
