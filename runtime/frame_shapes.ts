/**
 * Finds the number of an object's key list without joining the keys: a tree of keys, where each
 * node remembers the step that was taken last, because messages mostly repeat their forms.
 *
 * @module
 */
import { internedMax } from "./frames.ts";

class ShapeNode {
  number = -1;
  lastKey: string | undefined;
  lastStep: ShapeNode | undefined;
  steps: Map<string, ShapeNode> | undefined;
}
export type { ShapeNode };

/** The key lists an encoder has seen. The tree outlives frames, the numbers do not. */
export class ShapeTree {
  #root = new ShapeNode();
  #nodes = 0;
  #count = 0;
  /** By number; a node's number is valid only if this list agrees. */
  readonly #defined: ShapeNode[] = [];

  /** Shapes numbered in this frame. */
  get count(): number {
    return this.#count;
  }

  find(keys: readonly string[]): ShapeNode {
    let node = this.#root;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      node = node.lastKey === key && node.lastStep !== undefined
        ? node.lastStep
        : this.#step(node, key);
    }
    return node;
  }

  /** -1 when the shape was not defined in this frame. */
  numberOf(node: ShapeNode): number {
    const { number } = node;
    return number >= 0 && number < this.#count && this.#defined[number] === node ? number : -1;
  }

  /** Gives the shape the next number, if there is one left. */
  define(node: ShapeNode): void {
    if (this.#count === internedMax) return;
    node.number = this.#count;
    this.#defined[this.#count++] = node;
  }

  /** Forgets the shapes defined after there were `count`. */
  rewind(count: number): void {
    this.#count = count;
  }

  /** A new frame begins. Forms that never repeat must not fill the memory: start over at times. */
  restart(): void {
    this.#count = 0;
    this.#defined.length = 0;
    if (this.#nodes < internedMax) return;
    this.#root = new ShapeNode();
    this.#nodes = 0;
  }

  #step(node: ShapeNode, key: string): ShapeNode {
    node.steps ??= new Map();
    let step = node.steps.get(key);
    if (step === undefined) {
      step = new ShapeNode();
      node.steps.set(key, step);
      this.#nodes++;
    }
    node.lastKey = key;
    node.lastStep = step;
    return step;
  }
}
