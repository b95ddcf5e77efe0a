/**
 * docs/reliability.md: every fault with the tests that show it.
 *
 * @module
 */
import { type Fault, transports } from "./faults.ts";

const head = `# Reliability

What must lose nothing, and the tests that show it. Each asserts the conservation law at its end
(\`received = stored + duplicate + dead-lettered + refused + spool + in flight\`), and compares what
was acknowledged with what is stored, reading by reading. Written by \`deno task docs\` from
\`tools/reliability/faults.ts\`; \`deno task docs --check\` fails for a test that does not exist, or
that says all transports and has no load over all of them.
`;

/** What of the table is not so; `textOf` reads a file below tests/, if there is one. */
export function faultProblems(
  faults: readonly Fault[],
  textOf: (file: string) => string | undefined,
): string[] {
  return faults.flatMap(({ what, over, why, tests }) => {
    const found: string[] = [];
    if (tests.length === 0) found.push(`${what}: no test shows it`);
    if (over.length < transports.length && why === undefined) {
      found.push(`${what}: not over every transport, and no reason is given`);
    }
    for (const [file, title] of tests) {
      const text = textOf(file);
      if (text === undefined || !text.includes(title)) {
        found.push(`${what}: there is no test "${title}" in tests/${file}`);
      } else if (over === transports && !/\b(?:startFleet|killUnderLoad)\(/.test(text)) {
        found.push(`${what}: tests/${file} has no load over all transports`);
      }
    }
    return found;
  });
}

export function reliabilityPage(faults: readonly Fault[]): string {
  const rows = faults.map(({ what, over, why, tests }) => {
    const marks = transports.map((transport) => over.includes(transport) ? "●" : "–");
    const links = tests.map(([file, title]) => `[${spoken(title)}](../tests/${file})`).join("; ");
    return `| ${what} | ${marks.join(" | ")} | ${links}${why === undefined ? "" : ` (${why})`} |`;
  });
  return [
    head,
    `| fault | ${transports.join(" | ")} | shown by |`,
    `| --- |${" :-: |".repeat(transports.length)} --- |`,
    ...rows,
    "",
  ].join("\n");
}

/** As it stands in the file, without its variables and the comma of a line that goes on. */
const spoken = (title: string): string => title.replaceAll(/\$\{\w+\}/g, "…").replace(/,? $/, "");
