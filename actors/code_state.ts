/**
 * What the code of a device wants kept over passivation and restarts, as a bounded text of JSON.
 * Stricter than `JSON.stringify`, which makes `{}` of a Map and `null` of NaN without a word: who
 * keeps such a thing would find out when it comes back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { failureOf, failurePlace } from "../runtime/failure.ts";

/** A value of JSON. Members of objects that are `undefined` are left out. */
export type CodeState =
  | null
  | boolean
  | number
  | string
  | readonly CodeState[]
  | { readonly [key: string]: CodeState | undefined };

/** Why a state is not kept. */
export const stateRefusals = ["threw", "not_json", "too_large", "no_room"] as const;
export type StateRefusal = typeof stateRefusals[number];

const messageCharsMax = 300;
const depthMax = 32;

/** A state is not kept; the one before it is still there. */
export class CodeStateError extends Error {
  override readonly name = "CodeStateError";
  constructor(readonly reason: StateRefusal, message: string, options?: ErrorOptions) {
    super(message.slice(0, messageCharsMax), options);
  }
}

/**
 * What `save` of `code` returns, as text; `undefined`: it has none, or returned `undefined`. What
 * goes wrong is returned, not thrown: the reading that was before it is as good as ever. To be
 * called where code is ended when it does not return.
 */
export function stateOf(
  code: { save?(): unknown },
  bytesMax: number,
): string | CodeStateError | undefined {
  if (code.save === undefined) return undefined;
  try {
    const state = code.save();
    return state === undefined ? undefined : stateText(state, bytesMax);
  } catch (cause) {
    return cause instanceof CodeStateError ? cause : thrown(cause);
  }
}

/**
 * The state as JSON. What cannot fit is known before its text is made.
 *
 * @throws {CodeStateError} for what is no JSON, or has more than `bytesMax` bytes in UTF-8.
 */
export function stateText(state: unknown, bytesMax: number): string {
  const keys: (string | number)[] = [];
  let bytesMin = 0;
  const refuse = (what: string): never => {
    const place = keys.length === 0 ? "" : ` at ${keys.join(".")}`;
    throw new CodeStateError("not_json", `save() returned ${what}${place}, which is no JSON`);
  };
  const visit = (value: unknown): void => {
    if (typeof value === "string") bytesMin += value.length + 2;
    else if (typeof value === "number") Number.isFinite(value) ? bytesMin++ : refuse(`${value}`);
    else if (typeof value === "boolean" || value === null) bytesMin += 4;
    else if (typeof value === "object") visitMembers(value);
    else refuse(typeof value === "undefined" ? "undefined" : `a ${typeof value}`);
    if (bytesMin > bytesMax) throw tooLarge(`more than ${bytesMax}`, bytesMax);
  };
  const visitMembers = (value: object): void => {
    if (value instanceof Promise) value.catch(() => {}); // It is refused here; its failure is nobody's.
    if (keys.length === depthMax) refuse(`more than ${depthMax} levels, or a circle`);
    bytesMin += 2;
    if (Array.isArray(value)) {
      // By index: a gap is `undefined`, and refused as that.
      for (let i = 0; i < value.length; i++) visitMember(i, value[i]);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      refuse(`an object of class ${value.constructor?.name ?? "unknown"}`);
    }
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      bytesMin += key.length + 3;
      visitMember(key, member);
    }
  };
  const visitMember = (key: string | number, member: unknown): void => {
    keys.push(key);
    visit(member);
    keys.pop();
  };
  visit(state);
  const text = JSON.stringify(state);
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) throw tooLarge(String(bytes), bytesMax);
  return text;
}

function thrown(cause: unknown): CodeStateError {
  const failure = failureOf(cause, 0);
  const place = failurePlace(failure);
  const problem = `save() threw ${failure.name}: ${failure.message}`.slice(0, messageCharsMax / 2);
  return new CodeStateError("threw", place === undefined ? problem : `${problem} at ${place}`, {
    cause,
  });
}

/** `bytes`: how many there are. */
export const tooLarge = (bytes: string, bytesMax: number): CodeStateError =>
  new CodeStateError(
    "too_large",
    `save() returned ${bytes} bytes of JSON; a device may keep ${bytesMax} (device.codeStateBytesMax)`,
  );
