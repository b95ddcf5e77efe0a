/**
 * Options from environment variables.
 *
 * @module
 */
import type { Section } from "./option.ts";
import { suggest } from "./suggest.ts";
import { type PlacedOption, placedOptions } from "./table.ts";

const prefix = "SLUICE_";

/** What all names begin with says nothing of which one was meant. */
const withoutPrefix = (name: string): string =>
  name.startsWith(prefix) ? name.slice(prefix.length) : name;

/** Variables of the program that are no options. */
const others = ["SLUICE_CONFIG"];

/** Set by others for their own ends: the test suite, and Kubernetes for a service named sluice. */
const foreign = /^SLUICE_(TEST_|SIM_|SERVICE_|PORT(_|$)|\w+_SERVICE_|\w+_PORT(_\d+_|$))/;

/** What the environment says. */
export interface FromEnvironment {
  readonly values: readonly (PlacedOption & { readonly value: unknown })[];
  /** One sentence for each variable that looks like ours and is not. */
  readonly problems: readonly string[];
}

export function readEnvironment(
  root: Section,
  env: Readonly<Record<string, string>>,
): FromEnvironment {
  const placed = [...placedOptions(root)];
  const values = placed.flatMap((one) => {
    const text = Object.hasOwn(env, one.variable) ? env[one.variable] : undefined;
    if (text === undefined || (text === "" && one.option.emptyIsValue !== true)) return [];
    return [{ ...one, value: one.option.fromEnv(text) }];
  });
  const known = new Set([...placed.map(({ variable }) => variable), ...others]);
  const problems = Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name) && !foreign.test(name))
    .map((name) => {
      const near = suggest(withoutPrefix(name), [...known].map(withoutPrefix));
      const hint = near === undefined
        ? "docs/configuration.md names all there are"
        : `did you mean ${prefix}${near}?`;
      return `${name}: unknown variable; ${hint}`;
    });
  return { values, problems };
}
