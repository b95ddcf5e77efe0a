/**
 * What the keys of a route's payloads mean, learned once per key. A node stands for one key at one
 * place of the payload; the scanner finds it by its bytes, mostly by guessing that the key after
 * this one is the one that came after it last time.
 *
 * @module
 */
import type { FlatSchema, MemberRule } from "./flat_schema.ts";
import { escapeMeasurement, fieldKey, isWritableName } from "./line_protocol.ts";

/** Keys from the top of the payload inward. */
export type Path = readonly string[];

/** What to look for in a payload. */
export interface KeyRules {
  /** Objects whose members become fields; `[]` is the payload itself. */
  readonly from: readonly Path[];
  /** Members of inner objects become fields too, named with `_` between the keys. */
  readonly flatten: boolean;
  /** Whether a name becomes a field. */
  readonly accepts: (name: string) => boolean;
  /** Arrays whose numbers become fields, by place. */
  readonly arrays: readonly { readonly path: Path; readonly names: readonly string[] }[];
  /** Values to hand out beside the fields; `field`: also as a field. */
  readonly captures: readonly { readonly path: Path; readonly field: boolean }[];
  /** What the members of the payload must be. */
  readonly schema?: FlatSchema | undefined;
}

const utf8 = new TextEncoder();
const quote = 0x22;
const backslash = 0x5c;

/** A field's name, ready to be written. `slot` belongs to the decoding numbered `generation`. */
export class FieldName {
  readonly name: string;
  readonly writable: boolean;
  /** `name=`, escaped. */
  readonly key: Uint8Array;
  /** The name as the end of a measurement, escaped. */
  readonly metric: Uint8Array;
  generation = 0;
  slot = 0;

  constructor(name: string) {
    this.name = name;
    this.writable = isWritableName(name);
    this.key = utf8.encode(`${fieldKey(name)}=`);
    this.metric = utf8.encode(escapeMeasurement(name));
  }
}

/** One key at one place. */
export class KeyNode {
  /** The first member seen last time, and the member that followed this one. */
  first: KeyNode | undefined;
  next: KeyNode | undefined;
  /** The last decoding that saw this key. */
  generation = 0;
  /** Whether the bytes can stand between quotes as they are: only then they may be guessed. */
  readonly plain: boolean;
  readonly isAscii: boolean;

  constructor(
    readonly parent: KeyNode | undefined,
    readonly id: number,
    readonly path: Path,
    /** The key as UTF-8, without quotes and escapes. */
    readonly bytes: Uint8Array,
    /** A number here is this field. */
    readonly field: FieldName | undefined,
    /** A value here is this capture; -1: none. */
    readonly capture: number,
    /** Members of an object here matter. */
    readonly open: boolean,
    /** What is put before the names of its members; `undefined`: they are no fields. */
    readonly prefix: string | undefined,
    /** Numbers of an array here are these fields. */
    readonly elements: readonly (FieldName | undefined)[] | undefined,
    /** What a schema says of a value here. */
    readonly rule: MemberRule | undefined,
  ) {
    this.isAscii = !bytes.some((byte) => byte >= 0x80);
    this.plain = !bytes.some((byte) => byte < 0x20 || byte === quote || byte === backslash);
  }
}

/** Whether the place of `node` lies inside that of `other`, or is it. */
export function isWithin(node: KeyNode, other: KeyNode): boolean {
  for (let at: KeyNode | undefined = node; at !== undefined; at = at.parent) {
    if (at === other) return true;
  }
  return false;
}

const startsPath = (path: Path, start: Path): boolean => start.every((key, i) => path[i] === key);
const samePath = (a: Path, b: Path): boolean => a.length === b.length && startsPath(a, b);

/** Bounds of what is learned; beyond them everything is forgotten and learned anew. */
const nodesMax = 4096;
const keyBytesMax = 1 << 20;

const noBytes = new Uint8Array(0);

/** All keys of one route's payloads. */
export class KeyTree {
  readonly #rules: KeyRules;
  #names = new Map<string, FieldName>();
  #table: (KeyNode | undefined)[] = [];
  #nodes = 0;
  #keyBytes = 0;
  root!: KeyNode;

  constructor(rules: KeyRules) {
    this.#rules = rules;
    this.#forgetAll();
  }

  /** Members that the schema asks for. */
  get required(): number {
    return this.#rules.schema?.required ?? 0;
  }

  /** Called between two payloads, when no node is in use. */
  trim(): void {
    if (this.#nodes > nodesMax || this.#keyBytes > keyBytesMax) this.#forgetAll();
  }

  /** The field of that name. */
  fieldName(name: string): FieldName {
    let field = this.#names.get(name);
    if (field === undefined) {
      field = new FieldName(name);
      this.#names.set(name, field);
      this.#keyBytes += name.length;
    }
    return field;
  }

  /** The node for the key `data[start..end)`, which holds no escapes. */
  find(parent: KeyNode, data: Uint8Array, start: number, end: number): KeyNode {
    const table = this.#table;
    const mask = table.length - 1;
    let hash = parent.id;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
    let at = (hash ^ (hash >>> 15)) & mask;
    for (let node = table[at]; node !== undefined; node = table[at]) {
      if (node.parent === parent && sameBytes(node.bytes, data, start, end)) return node;
      at = (at + 1) & mask;
    }
    const bytes = data.slice(start, end);
    const node = this.#make(parent, decoder.decode(bytes), bytes);
    table[at] = node;
    if (this.#nodes * 2 > table.length) this.#grow();
    return node;
  }

  /** The node for a key that was written with escapes. */
  findText(parent: KeyNode, key: string): KeyNode {
    const bytes = utf8.encode(key);
    return this.find(parent, bytes, 0, bytes.length);
  }

  #make(parent: KeyNode, key: string, bytes: Uint8Array): KeyNode {
    const rules = this.#rules;
    const path = [...parent.path, key];
    const capture = rules.captures.findIndex((rule) => samePath(rule.path, path));
    const name = parent.prefix === undefined ? undefined : parent.prefix + key;
    const isField = name !== undefined && (capture < 0 || rules.captures[capture]!.field) &&
      rules.accepts(name);
    const names = rules.arrays.find((rule) => samePath(rule.path, path))?.names;
    const prefix = rules.from.some((from) => samePath(from, path))
      ? ""
      : rules.flatten && name !== undefined
      ? `${name}_`
      : undefined;
    const leads = [...rules.from, ...rules.captures, ...rules.arrays].some((rule) =>
      startsPath("path" in rule ? rule.path : rule, path)
    );
    this.#nodes++;
    this.#keyBytes += bytes.length + key.length;
    return new KeyNode(
      parent,
      Math.imul(this.#nodes, 0x9e3779b1),
      path,
      bytes,
      isField ? this.fieldName(name) : undefined,
      capture,
      prefix !== undefined || leads,
      prefix,
      names?.map((element) => rules.accepts(element) ? this.fieldName(element) : undefined),
      parent === this.root ? rules.schema?.member(key) : undefined,
    );
  }

  #forgetAll(): void {
    this.#names = new Map();
    this.#table = new Array<KeyNode | undefined>(64).fill(undefined);
    this.#nodes = 0;
    this.#keyBytes = 0;
    const fields = this.#rules.from.some((from) => from.length === 0);
    this.root = new KeyNode(
      undefined,
      0,
      [],
      noBytes,
      undefined,
      -1,
      true,
      fields ? "" : undefined,
      undefined,
      undefined,
    );
  }

  #grow(): void {
    const nodes = this.#table.filter((node) => node !== undefined);
    const table = new Array<KeyNode | undefined>(this.#table.length * 2).fill(undefined);
    const mask = table.length - 1;
    for (const node of nodes) {
      let hash = node.parent?.id ?? 0;
      for (const byte of node.bytes) hash = Math.imul(hash ^ byte, 0x01000193);
      let at = (hash ^ (hash >>> 15)) & mask;
      while (table[at] !== undefined) at = (at + 1) & mask;
      table[at] = node;
    }
    this.#table = table;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function sameBytes(key: Uint8Array, data: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (key.length !== length) return false;
  for (let i = 0; i < length; i++) if (key[i] !== data[start + i]) return false;
  return true;
}
