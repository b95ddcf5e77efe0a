/**
 * Options from environment variables.
 *
 * @module
 */
import type { Section } from "./option.ts";
import { suggest } from "./suggest.ts";
import { type PlacedOption, placedOptions } from "./table.ts";

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
    .filter((name) => name.startsWith("SLUICE_") && !known.has(name) && !foreign.test(name))
    .map((name) => {
      const near = suggest(name, known);
      return `${name}: unknown variable${near === undefined ? "" : `; did you mean ${near}?`}`;
    });
  return { values, problems };
}
