/**
 * docs/mqtt-conformance.md: every statement with the tests that show it.
 *
 * @module
 */
import type { ShownBy } from "./shown_by.ts";
import type { Mark, Statement } from "./statement.ts";

export interface Specification {
  readonly version: ShownBy["version"];
  readonly title: string;
  readonly statements: readonly Statement[];
}

const head = `# MQTT conformance

Every normative statement of MQTT that binds a server, or both ends, in short and in our own words,
with the tests that show it. Statements for clients alone are left out. This page is written by
\`deno task docs\` from \`tools/conformance/\` and from the comments above the tests;
\`deno task docs --check\` fails when a statement has neither a test nor a reason.
`;

/** Statements without test and reason, and tests that name what does not exist. */
export function problems(
  specifications: readonly Specification[],
  shown: readonly ShownBy[],
): string[] {
  const found: string[] = [];
  for (const { version, statements } of specifications) {
    const named = new Set(shown.filter((by) => by.version === version).map(({ number }) => number));
    const numbers = new Set(statements.map(([number]) => number));
    if (numbers.size !== statements.length) found.push(`MQTT ${version}: a number twice`);
    for (const [number, , mark] of statements) {
      if (!named.has(number) && mark === undefined) {
        found.push(`[MQTT-${number}] of ${version}: no test shows it, and no reason is given`);
      }
      if (named.has(number) && mark !== undefined) {
        found.push(`[MQTT-${number}] of ${version}: has a test; remove its mark`);
      }
    }
    for (const number of named) {
      if (!numbers.has(number)) {
        found.push(`[MQTT-${number}] of ${version}: a test names it in vain`);
      }
    }
  }
  return found;
}

export function conformancePage(
  specifications: readonly Specification[],
  shown: readonly ShownBy[],
): string {
  return [head, ...specifications.map((specification) => section(specification, shown))].join("\n");
}

function section({ version, title, statements }: Specification, shown: readonly ShownBy[]): string {
  let shownCount = 0;
  const rows = statements.map(([number, says, mark]) => {
    const by = shown.filter((one) => one.version === version && one.number === number);
    if (by.length > 0) shownCount++;
    return `| ${number} | ${cell(says)} | ${by.length > 0 ? tests(by) : marked(mark)} |`;
  });
  const summary = `${statements.length} statements: ${shownCount} shown by a test, ` +
    `${statements.length - shownCount} with nothing to test.`;
  return [
    `## ${title}`,
    "",
    summary,
    "",
    "| MQTT- | says | shown by |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function tests(by: readonly ShownBy[]): string {
  return by.map(({ file, title }) => `[${cell(title)}](../${file})`).join("; ");
}

const marked = (mark: Mark | undefined): string => mark ? `no test: ${cell(mark.why)}` : "";

const cell = (text: string): string => text.replaceAll("|", "\\|");
