/**
 * What ajv found wrong, said in the words of the option table: the key path, what is allowed, and
 * what is there instead.
 *
 * @module
 */
import type { ErrorObject } from "ajv";
import { masked, maskUrl } from "./mask.ts";
import type { Node, Option, Section } from "./option.ts";
import { suggest } from "./suggest.ts";
import { nodeAt } from "./table.ts";

/** One sentence for each wrong place. `variables`: by key path, what set the option there. */
export function problemsOf(
  root: Section,
  errors: readonly ErrorObject[],
  input: unknown,
  variables: ReadonlyMap<string, string>,
): string[] {
  return sentences(root, errors, input, (option, path) => {
    const variable = variables.get(option);
    return variable === undefined ? path : `${variable} (${path})`;
  });
}

/**
 * One sentence for each place of the file that `variables` win over, and that no value could be
 * right for: of a wrong type, or an unknown key. A placeholder there, or an empty text, is none of
 * these: that is how files are written of which the secrets are set by variables.
 */
export function hiddenProblemsOf(
  root: Section,
  errors: readonly ErrorObject[],
  file: unknown,
  variables: ReadonlyMap<string, string>,
): string[] {
  const hidden = errors.filter((error) =>
    variables.has(optionPath(root, stepsOf(error)).join(".")) && isOfKind(error)
  );
  return sentences(root, hidden, file, (option, path) => {
    return `${path} (in the file; ${variables.get(option)} wins over it)`;
  });
}

/** Whether it is about the kind of a value, or a key, rather than which value it is. */
function isOfKind({ keyword, schemaPath, params, data }: ErrorObject): boolean {
  if (keyword === "enum") {
    return !params.allowedValues.some((allowed: unknown) => typeof allowed === typeof data);
  }
  // Of alternatives, those that were not meant say so too.
  return keyword === "additionalProperties" ||
    (keyword === "type" && !schemaPath.includes("/anyOf/"));
}

/** @param subject what a problem at a path is said of. */
function sentences(
  root: Section,
  errors: readonly ErrorObject[],
  input: unknown,
  subject: (option: string, path: string) => string,
): string[] {
  const problems = new Map<string, string>();
  for (const error of errors) {
    const steps = stepsOf(error);
    const option = optionPath(root, steps);
    const said = (path: string, what: string): string =>
      `${subject(option.join("."), path)}: ${what}`;

    if (error.keyword === "additionalProperties") {
      const path = pathText([...steps, String(error.params.additionalProperty)]);
      problems.set(path, said(path, unknownKey(error, steps)));
      continue;
    }
    const node = nodeAt(root, option);
    const inside = hasOwnSchema(node) && steps.length > option.length;
    const path = pathText(inside ? steps : option);
    if (inside) {
      if (error.keyword === "anyOf") continue;
      const before = problems.get(path);
      const what = insideObject(error);
      problems.set(path, before === undefined ? said(path, what) : `${before}, or ${what}`);
    } else if (!problems.has(path)) {
      const expects = node?.kind === "option" ? node.expects : "an object";
      const found = foundAt(node, valueAt(input, option));
      problems.set(path, said(path, `must be ${expects}; it is ${found}`));
    }
  }
  return [...problems.values()];
}

/** What is there instead; of what may hold a secret somewhere, no more than what it is. */
function foundAt(node: Node | undefined, value: unknown): string {
  if (node?.kind !== "option") return kindOf(value);
  if (node.secret === true) return "something else (not shown, it is a secret)";
  if (!Array.isArray(value)) return isObject(value) ? kindOf(value) : shown(masked(node, value));
  return value.some(isObject) ? "a list that holds objects" : shown(masked(node, value));
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

function kindOf(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "string"
    ? "a text"
    : typeof value === "number"
    ? "a number"
    : "an object";
}

/** Lists of objects have a schema inside; of other lists the option itself says what is allowed. */
function hasOwnSchema(node: ReturnType<typeof nodeAt>): node is Option {
  const items = node?.kind === "option" ? node.schema.items : undefined;
  return typeof items === "object" && items !== null && "properties" in items;
}

/** What is wrong inside an option that has a schema of its own. */
function insideObject({ keyword, params, message, data }: ErrorObject): string {
  switch (keyword) {
    case "required":
      return `${JSON.stringify(params.missingProperty)} is missing`;
    case "enum":
      return `must be one of ${params.allowedValues.map(shown).join(", ")}; it is ${inside(data)}`;
    default:
      return `${message}; it is ${inside(data)}`;
  }
}

const inside = (data: unknown): string =>
  isObject(data) ? kindOf(data) : shown(typeof data === "string" ? maskUrl(data) : data);

function unknownKey({ params, parentSchema }: ErrorObject, steps: readonly string[]): string {
  const known = Object.keys(parentSchema?.properties ?? {}).filter((key) => key !== "$schema");
  const near = suggest(String(params.additionalProperty), known);
  return near === undefined
    ? `unknown key; allowed here: ${known.join(", ")}`
    : `unknown key; did you mean ${pathText([...steps, near])}?`;
}

/** `["routes", "0", "topic"]` → `routes[0].topic`. */
export function pathText(steps: readonly string[]): string {
  if (steps.length === 0) return "the configuration";
  return steps.map((step, i) => /^\d+$/.test(step) ? `[${step}]` : i === 0 ? step : `.${step}`)
    .join("");
}

/** The longest start of the path that the table knows. */
function optionPath(root: Section, steps: readonly string[]): readonly string[] {
  let length = steps.length;
  while (length > 0 && nodeAt(root, steps.slice(0, length)) === undefined) length--;
  return steps.slice(0, length);
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const key of path) {
    value = typeof value === "object" && value !== null
      ? Object.getOwnPropertyDescriptor(value, key)?.value
      : undefined;
  }
  return value;
}

const shownCharsMax = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= shownCharsMax ? text : `${text.slice(0, shownCharsMax)}…`;
}

const stepsOf = ({ instancePath }: ErrorObject): string[] =>
  instancePath.split("/").slice(1).map(unescapePointer);

/** RFC 6901, section 4. */
const unescapePointer = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");
