/**
 * From a payload's bytes to fields, time, sequence and tags, by the rules of one route: pure, and
 * without an object per reading. A payload that cannot be stored is told by a reason (a word, for
 * metrics) and a detail (a sentence, for people).
 *
 * @module
 */
import { messageOf } from "../runtime/message_of.ts";
import { KeyTree, type Path } from "./decode_keys.ts";
import { captureKinds, Decoded, noFieldsDetail } from "./decode_result.ts";
import { FrameText } from "./frame_text.ts";
import { FlatJson, type ScanFault, type ValueRules } from "./flat_json.ts";
import { char, isSpace, stringText } from "./flat_json_text.ts";
import { escapeTag, isWritableName, quoteText } from "./line_protocol.ts";
import type { TopicEntry } from "./reading.ts";
import type { SchemaCheck } from "./schema.ts";
import { type TimestampFormat, type TimestampOutcome, TimestampReader } from "./timestamp.ts";
import type { TimeZone } from "./timestamp_zone.ts";

/** What a route says of its payloads. */
export interface PayloadRules {
  /** Objects whose members become fields; `[]` is the payload itself. */
  readonly from: readonly Path[];
  readonly flatten: boolean;
  readonly accepts: (name: string) => boolean;
  readonly arrays: readonly { readonly path: Path; readonly names: readonly string[] }[];
  readonly values: ValueRules;
  /** The first of the paths that is there counts. */
  readonly timestamp: {
    readonly paths: readonly Path[];
    readonly format: TimestampFormat;
    readonly zone: TimeZone | undefined;
  };
  readonly sequence: Path | undefined;
  readonly identity: Path | undefined;
  readonly tags: readonly (readonly [key: string, path: Path])[];
  readonly schema: SchemaCheck | undefined;
  /** `ignore`: text that is no JSON object is not an error, for example `Online`. */
  readonly unparsable: "dead_letter" | "ignore";
  readonly depthMax: number;
  readonly fieldsMax: number;
}

/** `nothing`: there is nothing to store and nothing wrong; the reason says why. */
export type DecodeOutcome = "points" | "nothing" | "dead";

const faultDetails: Readonly<Record<Exclude<ScanFault, "none" | "malformed">, string>> = {
  too_deep: "the payload is nested deeper than limits.jsonDepthMax",
  too_many_fields: "the payload has more fields than limits.fieldsMax",
  unwritable_name: "a name is empty or ends in a backslash, which line protocol cannot hold",
};

const detailCharsMax = 200;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const sameRule = (a: Path) => (rule: { readonly path: Path }): boolean =>
  a.length === rule.path.length && a.every((key, i) => key === rule.path[i]);

/** Decodes the payloads of one route. What it holds is valid until the next call. */
export class PayloadDecoder {
  readonly fields: Decoded;
  /** The payload's own time; counts when `hasTime`. */
  readonly time = new TimestampReader();
  hasTime = false;
  /** The range of the payload that the time was read from. */
  timeFrom = 0;
  timeTo = 0;
  /** The payload's own sequence number; NaN: none. */
  sequence = NaN;
  /** Tags that the payload decides: `,key=value` each, escaped. */
  tags = "";
  reason = "";
  detail = "";
  readonly #rules: PayloadRules;
  readonly #keys: KeyTree;
  readonly #json: FlatJson;
  readonly #frames = new FrameText();
  readonly #timeCaptures: readonly number[];
  readonly #sequenceCapture: number;
  readonly #identityCapture: number;
  readonly #tagCaptures: readonly (readonly [key: string, capture: number])[];
  #data: Uint8Array = new Uint8Array(0);

  constructor(rules: PayloadRules) {
    this.#rules = rules;
    const captures: { path: Path; field: boolean }[] = [];
    const captureOf = (path: Path | undefined, field = false): number => {
      if (path === undefined) return -1;
      const known = captures.findIndex(sameRule(path));
      return known >= 0 ? known : captures.push({ path, field }) - 1;
    };
    this.#timeCaptures = rules.timestamp.paths.map((path) => captureOf(path));
    this.#identityCapture = captureOf(rules.identity);
    this.#tagCaptures = rules.tags.map(([key, path]) => [escapeTag(key), captureOf(path)]);
    this.#sequenceCapture = captureOf(rules.sequence, true);
    this.#keys = new KeyTree({ ...rules, captures, schema: rules.schema?.flat });
    this.fields = new Decoded(rules.fieldsMax, captures.length);
    this.#json = new FlatJson(this.#keys, this.fields, rules.values, rules.depthMax);
  }

  /** Whether each field is to be told from the payload alone: a reading sent twice is the same. */
  get isIdentified(): boolean {
    return this.hasTime || !Number.isNaN(this.sequence);
  }

  /** Decodes `data[start..end)`. */
  decode(data: Uint8Array, start: number, end: number, entry: TopicEntry): DecodeOutcome {
    this.#data = data;
    this.hasTime = false;
    this.sequence = NaN;
    this.tags = "";
    const fault = this.#json.scan(data, start, end);
    if (fault !== "none") return this.#faulty(fault, start, end, entry);
    const rules = this.#rules;
    if (rules.schema !== undefined && !(rules.schema.flat !== undefined && this.#json.fits)) {
      const problem = rules.schema.problem(JSON.parse(this.#frames.text(data, start, end)));
      if (problem !== undefined) return this.#dead("schema", problem);
    }
    if (this.#identityCapture >= 0 && !this.#isIdentity(entry.identity ?? "")) {
      return this.#dead("identity_mismatch", this.#mismatch(entry.identity));
    }
    for (const capture of this.#timeCaptures) {
      if (this.fields.captureKind[capture] === captureKinds.none) continue;
      if (!this.#readTime(capture)) return "dead";
      break;
    }
    if (this.#sequenceCapture >= 0) this.#readSequence(this.#sequenceCapture);
    if (this.#tagCaptures.length > 0 && !this.#readTags()) {
      return this.#dead("unwritable_name", faultDetails.unwritable_name);
    }
    return this.fields.count > 0 ? "points" : this.#nothing("no_fields", noFieldsDetail);
  }

  #dead(reason: string, detail: string): "dead" {
    this.reason = reason;
    this.detail = detail;
    return "dead";
  }

  #nothing(reason: string, detail: string): "nothing" {
    this.reason = reason;
    this.detail = detail;
    return "nothing";
  }

  #isIdentity(expected: string): boolean {
    const capture = this.#identityCapture;
    const from = this.fields.captureFrom[capture]!;
    if (this.fields.captureKind[capture] === captureKinds.text) {
      let i = 0;
      const length = this.fields.captureTo[capture]! - from;
      while (i < length && this.#data[from + i] === expected.charCodeAt(i)) i++;
      if (i === length && i === expected.length) return true;
    }
    return this.#captureText(capture) === expected;
  }

  #mismatch(expected: string | undefined): string {
    const capture = this.#identityCapture;
    const device = JSON.stringify(expected);
    return this.fields.captureKind[capture] === captureKinds.none
      ? `the payload has no "${
        this.#rules.identity?.join(".")
      }"; its topic wants it to be ${device}`
      : `the payload names the device ${this.#shown(capture)}, its topic ${device}`;
  }

  /** Text of a captured string, number or boolean; `undefined`: nothing of that kind. */
  #captureText(capture: number): string | undefined {
    const kind = this.fields.captureKind[capture]!;
    if (kind === captureKinds.none || kind === captureKinds.other) return undefined;
    const from = this.fields.captureFrom[capture]!;
    const to = this.fields.captureTo[capture]!;
    return stringText(this.#data, from, to);
  }

  #shown(capture: number): string {
    const kind = this.fields.captureKind[capture];
    if (kind === captureKinds.other) return "(null, an object or an array)";
    const text = this.#captureText(capture)?.slice(0, detailCharsMax);
    const bare = kind === captureKinds.number || kind === captureKinds.boolean;
    return bare && text !== undefined ? text : JSON.stringify(text ?? null);
  }

  #readTime(capture: number): boolean {
    const { captureKind, captureFrom, captureTo } = this.fields;
    const { format, zone } = this.#rules.timestamp;
    const from = captureFrom[capture]!;
    const to = captureTo[capture]!;
    const kind = captureKind[capture];
    let outcome: TimestampOutcome = "timestamp_unreadable";
    if (kind === captureKinds.number || kind === captureKinds.text) {
      outcome = this.time.read(this.#data, from, to, format, zone);
    } else if (kind === captureKinds.escaped) {
      // .NET writes the plus of a zone as \u002B.
      const bytes = new TextEncoder().encode(this.#captureText(capture));
      outcome = this.time.read(bytes, 0, bytes.length, format, zone);
    }
    this.timeFrom = from;
    this.timeTo = to;
    this.hasTime = outcome === "read";
    if (outcome !== "read") {
      const why = outcome === "timestamp_unreadable"
        ? `is no time: ${format === "auto" ? "a number since the epoch, or " : ""}` +
          `${zone ? "RFC 3339" : "RFC 3339 with a zone"} is read here`
        : "is outside of what ns in 64 bits can hold";
      this.#dead(outcome, `timestamp ${this.#shown(capture)} ${why}`);
    }
    return this.hasTime;
  }

  #readSequence(capture: number): void {
    if (this.fields.captureKind[capture] !== captureKinds.number) return;
    this.sequence = Number(this.#captureText(capture));
  }

  #readTags(): boolean {
    for (const [key, capture] of this.#tagCaptures) {
      const text = this.#captureText(capture);
      if (text === undefined || text === "") continue;
      if (!isWritableName(text)) return false;
      this.tags += `,${key}=${escapeTag(text)}`;
    }
    return true;
  }

  /** Not an object that could be scanned: one bare value, text to ignore, or a dead letter. */
  #faulty(fault: ScanFault, start: number, end: number, entry: TopicEntry): DecodeOutcome {
    if (fault !== "none" && fault !== "malformed") return this.#dead(fault, faultDetails[fault]);
    const data = this.#data;
    let first = start;
    while (first < end && isSpace(data[first])) first++;
    if (first === end && this.#rules.unparsable === "dead_letter") {
      return this.#dead("empty_payload", "the payload is empty");
    }
    if (data[first] !== char.braceOpen && entry.scalar !== undefined) {
      if (this.#readScalar(start, end, entry.scalar)) return "points";
    }
    if (this.#rules.unparsable === "ignore") return this.#nothing("not_an_object", "");
    return this.#diagnose(data.subarray(start, end));
  }

  /** A payload that is one bare value. */
  #readScalar(start: number, end: number, name: string): boolean {
    let value: unknown;
    try {
      value = JSON.parse(strict.decode(this.#data.subarray(start, end)));
    } catch {
      // Not JSON: the caller says what becomes of it.
      return false;
    }
    const { booleans, strings } = this.#rules.values;
    if (typeof value === "boolean" && booleans === "number") value = value ? 1 : 0;
    if (typeof value === "string" && strings === "number" && value.trim() !== "") {
      value = Number(value);
    }
    const field = this.#keys.fieldName(name);
    const add = (number: number, text: string) =>
      this.fields.addText(field, this.#keys.root, number, text);
    if (typeof value === "number") return Number.isFinite(value) && add(value, String(value));
    if (typeof value === "boolean" && booleans === "boolean") {
      return add(value ? 1 : 0, String(value));
    }
    return typeof value === "string" && strings === "text" && add(NaN, quoteText(value));
  }

  /** Says what is wrong with a payload that is not a JSON object. */
  #diagnose(payload: Uint8Array): DecodeOutcome {
    let text: string;
    try {
      text = strict.decode(payload);
    } catch {
      return this.#dead("invalid_utf8", "the payload is not valid UTF-8");
    }
    try {
      JSON.parse(text);
    } catch (error) {
      const message = messageOf(error);
      return this.#dead("malformed_json", message.slice(0, detailCharsMax));
    }
    return this.#dead("not_an_object", "the payload is JSON, but not an object");
  }
}
