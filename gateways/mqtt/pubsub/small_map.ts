/**
 * Maps and sets that most often have one entry. A `Map` or `Set` takes about 210 bytes for its table
 * even then, and a subscription has several of them in every shard.
 *
 * @module
 */

/** A map without a table until it has a second entry. No value is `undefined`. */
export class SmallMap<K, V> {
  /** The only entry, while there is no table. */
  #key: K | undefined;
  #value: V | undefined;
  #table: Map<K, V> | undefined;

  get size(): number {
    return this.#table?.size ?? (this.#value === undefined ? 0 : 1);
  }

  /** What it has now, in the order in which it came. */
  get entries(): Iterable<readonly [K, V]> {
    if (this.#table !== undefined) return this.#table;
    return this.#value === undefined ? [] : [[this.#key as K, this.#value]];
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  get(key: K): V | undefined {
    if (this.#table !== undefined) return this.#table.get(key);
    return this.#key === key ? this.#value : undefined;
  }

  set(key: K, value: V): void {
    if (this.#table !== undefined) {
      this.#table.set(key, value);
    } else if (this.#value === undefined || this.#key === key) {
      this.#key = key;
      this.#value = value;
    } else {
      this.#table = new Map([[this.#key as K, this.#value], [key, value]]);
      this.#key = this.#value = undefined;
    }
  }

  /** Whether it was there. */
  delete(key: K): boolean {
    if (this.#table !== undefined) {
      const found = this.#table.delete(key);
      if (this.#table.size === 0) this.#table = undefined;
      return found;
    }
    if (this.#value === undefined || this.#key !== key) return false;
    this.#key = this.#value = undefined;
    return true;
  }
}

/** The same as a set. */
export class SmallSet<T> implements Iterable<T> {
  readonly #map = new SmallMap<T, true>();

  get size(): number {
    return this.#map.size;
  }

  has(item: T): boolean {
    return this.#map.has(item);
  }

  add(item: T): void {
    this.#map.set(item, true);
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    return this.#map.delete(item);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const [item] of this.#map.entries) yield item;
  }
}
