/**
 * Topic filters as a tree of levels, so that a message finds the filters that match its topic
 * without looking at the others.
 *
 * @module
 */
import { SmallMap } from "./small_map.ts";

class Node<V> {
  value: V | undefined;
  children: SmallMap<string, Node<V>> | undefined;

  get empty(): boolean {
    return this.value === undefined && this.children === undefined;
  }
}

/**
 * See the module. At most one value for each filter.
 *
 * @example
 * ```ts
 * import { TopicTrie } from "./topic_trie.ts";
 * import assert from "node:assert/strict";
 *
 * const trie = new TopicTrie<string>();
 * trie.set("plant/+/temperature", "one level");
 * trie.set("plant/#", "all below");
 * assert.deepEqual(trie.match("plant/7/temperature").toSorted(), ["all below", "one level"]);
 * assert.deepEqual(trie.match("plant"), ["all below"]);
 * ```
 */
export class TopicTrie<V> {
  #root = new Node<V>();
  #size = 0;

  /** Filters that have a value. */
  get size(): number {
    return this.#size;
  }

  get(filter: string): V | undefined {
    let node: Node<V> | undefined = this.#root;
    for (const level of filter.split("/")) node = node?.children?.get(level);
    return node?.value;
  }

  set(filter: string, value: V): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      node.children ??= new SmallMap();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, child = new Node());
      node = child;
    }
    if (node.value === undefined) this.#size++;
    node.value = value;
  }

  /** Removes the filter, and the levels that only it needed. */
  delete(filter: string): void {
    const levels = filter.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const next = path.at(-1)!.children?.get(level);
      if (next === undefined) return;
      path.push(next);
    }
    const last = path.at(-1)!;
    if (last.value === undefined) return;
    last.value = undefined;
    this.#size--;
    for (let i = levels.length; i > 0 && path[i]!.empty; i--) {
      const parent = path[i - 1]!;
      parent.children!.delete(levels[i - 1]!);
      if (parent.children!.size === 0) parent.children = undefined;
    }
  }

  /** The values of all filters that match a topic name, in no particular order. */
  match(topic: string): V[] {
    const found: V[] = [];
    const names = topic.split("/");
    // Wildcards at the start do not match topics that begin with $ [MQTT-4.7.2-1].
    if (topic.startsWith("$")) walk(this.#root.children?.get(names[0]!), names, 1, found);
    else walk(this.#root, names, 0, found);
    return found;
  }
}

function walk<V>(
  node: Node<V> | undefined,
  names: readonly string[],
  at: number,
  found: V[],
): void {
  if (node === undefined) return;
  const { children } = node;
  // `a/#` matches `a` too [MQTT-4.7.1-2].
  const rest = children?.get("#")?.value;
  if (rest !== undefined) found.push(rest);
  if (at === names.length) {
    if (node.value !== undefined) found.push(node.value);
    return;
  }
  if (children === undefined) return;
  walk(children.get(names[at]!), names, at + 1, found);
  walk(children.get("+"), names, at + 1, found);
}
