/**
 * The part of JSON Schema that can be decided while a payload is scanned, without parsing it a
 * second time: an object of numbers, booleans, strings and null. It only ever says "fits" or "not
 * known": what it does not know, ajv decides, and so words every refusal.
 *
 * @module
 */
import { char } from "./flat_json_text.ts";

const kindBits = {
  number: 1,
  string: 2,
  boolean: 4,
  null: 8,
  object: 16,
  array: 32,
} as const;
const anyKind = 63;

const kindOfByte = new Uint8Array(256);
kindOfByte[char.quote] = kindBits.string;
kindOfByte[char.braceOpen] = kindBits.object;
kindOfByte[char.bracketOpen] = kindBits.array;
kindOfByte[char.t] = kindOfByte[char.f] = kindBits.boolean;
kindOfByte[char.n] = kindBits.null;

/** What the schema says of one member of the payload. */
export class MemberRule {
  required = false;

  constructor(
    private readonly kinds: number,
    private readonly integer = false,
    private readonly minimum = -Infinity,
    private readonly maximum = Infinity,
    private readonly above = -Infinity,
    private readonly below = Infinity,
  ) {}

  /** Whether this number certainly fits. Beyond the range of a double it does not. */
  fitsNumber(value: number): boolean {
    return (this.kinds & kindBits.number) !== 0 && value >= this.minimum &&
      value <= this.maximum && value > this.above && value < this.below &&
      (!this.integer || value % 1 === 0);
  }

  /** Whether any value but a number certainly fits that begins with this byte. */
  fitsOther(firstByte: number): boolean {
    return (this.kinds & kindOfByte[firstByte]!) !== 0;
  }
}

const anything = new MemberRule(anyKind);
const nothing = new MemberRule(0);

/** The rules for the members of a payload. */
export interface FlatSchema {
  /** Members that must be there. */
  readonly required: number;
  member(name: string): MemberRule;
}

const annotations = ["title", "description", "$comment", "default", "examples"] as const;
const ofSchema: readonly string[] = [
  "$schema",
  "type",
  "properties",
  "required",
  "additionalProperties",
  ...annotations,
];
const ofMember: readonly string[] = [
  "type",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  ...annotations,
];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const hasOnly = (schema: object, keywords: readonly string[]): boolean =>
  Object.keys(schema).every((keyword) => keywords.includes(keyword));
/** ajv passes over `__proto__`; the scanner takes half a surrogate for U+FFFD. */
const isPlainName = (name: string): boolean =>
  name !== "__proto__" && name.isWellFormed() && !name.includes("\ufffd");

/** The rules of a valid schema, or `undefined` when it asks for more than can be decided so. */
export function flatSchema(schema: unknown): FlatSchema | undefined {
  if (!isObject(schema) || !hasOnly(schema, ofSchema)) return undefined;
  const { type = "object", properties = {}, required = [], additionalProperties = true } = schema;
  if (type !== "object" || typeof additionalProperties !== "boolean") return undefined;
  if (!isObject(properties) || !Array.isArray(required)) return undefined;
  const rules = new Map<string, MemberRule>();
  for (const [name, member] of Object.entries(properties)) {
    const rule = memberRule(member);
    if (rule === undefined || !isPlainName(name)) return undefined;
    rules.set(name, rule);
  }
  for (const name of required) {
    if (typeof name !== "string" || !isPlainName(name)) return undefined;
    if (!rules.has(name) && !additionalProperties) return undefined;
    const rule = rules.get(name) ?? new MemberRule(anyKind);
    rule.required = true;
    rules.set(name, rule);
  }
  const other = additionalProperties ? anything : nothing;
  return { required: required.length, member: (name) => rules.get(name) ?? other };
}

function memberRule(schema: unknown): MemberRule | undefined {
  if (schema === true) return new MemberRule(anyKind);
  if (!isObject(schema) || !hasOnly(schema, ofMember)) return undefined;
  const types: unknown[] = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  let kinds = schema["type"] === undefined ? anyKind : 0;
  for (const [type, bit] of Object.entries(kindBits)) if (types.includes(type)) kinds |= bit;
  if (types.includes("integer")) kinds |= kindBits.number;
  const limit = (keyword: string) => {
    const value = schema[keyword];
    return typeof value === "number" ? value : undefined;
  };
  return new MemberRule(
    kinds,
    types.includes("integer") && !types.includes("number"),
    limit("minimum"),
    limit("maximum"),
    limit("exclusiveMinimum"),
    limit("exclusiveMaximum"),
  );
}
