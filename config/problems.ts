/**
 * What ajv found wrong, said in the words of the option table: the key path, what is allowed, and
 * what is there instead.
 *
 * @module
 */
import type { ErrorObject } from "ajv";
import { masked } from "./mask.ts";
import type { Section } from "./option.ts";
import { suggest } from "./suggest.ts";
import { nodeAt } from "./table.ts";

/**
 * One sentence for each wrong place.
 *
 * @param source gives the variable that set the option at a key path, if one did.
 */
export function problemsOf(
  root: Section,
  errors: readonly ErrorObject[],
  input: unknown,
  source: (path: string) => string | undefined,
): string[] {
  const problems = new Map<string, string>();
  for (const error of errors) {
    const steps = error.instancePath.split("/").slice(1).map(unescapePointer);
    if (error.keyword === "additionalProperties") {
      const key = String(error.params.additionalProperty);
      const path = [...steps, key].join(".");
      problems.set(path, `${path}: ${unknownKey(root, steps, key)}`);
      continue;
    }
    const path = optionPath(root, steps);
    const name = path.join(".");
    const node = nodeAt(root, path);
    if (node === undefined || problems.has(name)) continue;
    const variable = source(name);
    const where = variable === undefined ? name : `${variable} (${name})`;
    const secret = node.kind === "option" && node.secret === true;
    const expects = node.kind === "option" ? node.expects : "an object";
    problems.set(
      name,
      `${where === "" ? "the configuration" : where}: must be ${expects}; it is ${
        secret
          ? "something else (not shown, it is a secret)"
          : shown(masked(node, valueAt(input, path)))
      }`,
    );
  }
  return [...problems.values()];
}

function unknownKey(root: Section, steps: readonly string[], key: string): string {
  const node = nodeAt(root, steps);
  const known = node?.kind === "section" ? Object.keys(node.keys) : [];
  const near = suggest(key, known);
  return near === undefined
    ? `unknown key; allowed here: ${known.join(", ")}`
    : `unknown key; did you mean ${[...steps, near].join(".")}?`;
}

/** The longest start of the path that the table knows: errors inside lists are the option's. */
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

/** RFC 6901, section 4. */
const unescapePointer = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");
