/**
 * The last value of every field of a device. Devices of one make have the same fields in the same
 * order, so they share one list of names, as objects share a shape; a device keeps only numbers.
 *
 * @module
 */

/** A list of field names that many devices share; immutable but for what may follow it. */
class Shape {
  readonly #followers = new Map<string, Shape>();

  readonly chars: number;

  constructor(readonly names: readonly string[]) {
    this.chars = names.reduce((sum, name) => sum + name.length, 0);
  }

  follower(name: string): Shape | undefined {
    return this.#followers.get(name);
  }

  grow(name: string): Shape {
    const shape = new Shape([...this.names, name]);
    this.#followers.set(name, shape);
    return shape;
  }
}

export type ValueShape = Pick<Shape, "names">;

const namesMax = 256;
/** Longer names are stored, but not among the last values: those are kept for every device. */
const nameCharsMax = 256;
const shapeCharsMax = 8_192;

/** The shapes of all devices of a shard. */
export class ShapeTable {
  readonly #empty = new Shape([]);
  readonly #cellsMax: number;
  #cells = 0;

  /** `cellsMax`: sum of the lengths of all lists; beyond it, new names are not remembered. */
  constructor(cellsMax = 1_000_000) {
    this.#cellsMax = cellsMax;
  }

  get empty(): ValueShape {
    return this.#empty;
  }

  /** The shape with one more name, or `undefined` when the limit is reached. */
  with(shape: ValueShape, name: string): ValueShape | undefined {
    if (!(shape instanceof Shape) || shape.names.length >= namesMax) return undefined;
    const known = shape.follower(name);
    if (known !== undefined) return known;
    if (name.length > nameCharsMax || shape.chars + name.length > shapeCharsMax) return undefined;
    if (this.#cells + shape.names.length + 1 > this.#cellsMax) return undefined;
    this.#cells += shape.names.length + 1;
    return shape.grow(name);
  }
}

/** One device's last values. */
export class LastValues {
  readonly #shapes: ShapeTable;
  #shape: ValueShape;
  /**
   * Per name: value, and wall time in ms of its reading. V8 keeps a list of such numbers as one run
   * of them; a typed array is two objects more, each somewhere else in the memory.
   */
  #cells: number[] = [];
  /** Names that could not be remembered. */
  omitted = 0;

  constructor(shapes: ShapeTable) {
    this.#shapes = shapes;
    this.#shape = shapes.empty;
  }

  get count(): number {
    return this.#shape.names.length;
  }

  name(i: number): string {
    return this.#shape.names[i]!;
  }

  has(name: string): boolean {
    return this.#shape.names.includes(name);
  }

  value(i: number): number {
    return this.#cells[2 * i]!;
  }

  timeMs(i: number): number {
    return this.#cells[2 * i + 1]!;
  }

  /**
   * Sets a value, unless a newer one is known, and returns its place plus one: given as `guess` for
   * the next field, it finds that at once when the fields come in the same order as before.
   */
  set(guess: number, name: string, value: number, timeMs: number): number {
    const { names } = this.#shape;
    const i = names[guess] === name ? guess : names.indexOf(name);
    if (i < 0) return this.#add(name, value, timeMs) ? names.length + 1 : guess;
    if (timeMs < this.#cells[2 * i + 1]!) return i + 1;
    this.#cells[2 * i] = value;
    this.#cells[2 * i + 1] = timeMs;
    return i + 1;
  }

  #add(name: string, value: number, timeMs: number): boolean {
    const grown = this.#shapes.with(this.#shape, name);
    if (grown === undefined) {
      this.omitted++;
      return false;
    }
    this.#shape = grown;
    // Not pushed: that makes room for many more.
    this.#cells = this.#cells.concat(value, timeMs);
    return true;
  }
}
