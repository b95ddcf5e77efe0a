/**
 * The refs that this Worker holds to actors at the other end of a link: one object for each actor,
 * so that a ref received twice is equal to itself. When the program has let go of one, the other
 * end is told, and can forget the actor in turn.
 *
 * @module
 */
import { RemoteRef, type RemoteRoute } from "./remote_ref.ts";

interface Import {
  readonly id: number;
  readonly ref: WeakRef<RemoteRef>;
  /** Times it was received. */
  times: number;
}

export class RemoteImports {
  readonly #route: RemoteRoute;
  readonly #byId = new Map<number, Import>();
  readonly #registry: FinalizationRegistry<Import>;

  /** `release` tells the other end that a ref, received `times`, is held no more. */
  constructor(route: RemoteRoute, release: (id: number, times: number) => void) {
    this.#route = route;
    this.#registry = new FinalizationRegistry((entry) => {
      if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);
      release(entry.id, entry.times);
    });
  }

  get count(): number {
    return this.#byId.size;
  }

  refAt(id: number, path: string): RemoteRef {
    const known = this.#byId.get(id);
    const held = known?.ref.deref();
    if (known !== undefined && held !== undefined) {
      known.times++;
      return held;
    }
    const ref = new RemoteRef(this.#route, id, path, false);
    const entry: Import = { id, ref: new WeakRef(ref), times: 1 };
    this.#byId.set(id, entry);
    this.#registry.register(ref, entry);
    return ref;
  }
}
