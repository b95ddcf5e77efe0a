/**
 * The figures as a table for people, and as one JSON object for machines.
 *
 * @module
 */
import { type Figure, met, type Target } from "./measure.ts";

/** What ran where. */
export interface Versions {
  readonly [program: string]: string;
}

/** A GitHub table: it reads well on a terminal too. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${number(figure.value)} ${figure.unit}`.trim(),
    targetText(figure.target, figure.unit),
    { true: "yes", false: "NO", undefined: "" }[`${met(figure)}`] ?? "",
    figure.detail ?? "",
  ]);
  const all = [["measure", "measured", "target", "met", "seen"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(all[0]!), rule, ...all.slice(1).map(line)].join("\n");
}

/** One object: versions, when, and the figures. */
export function json(figures: readonly Figure[], versions: Versions, quick: boolean): string {
  return JSON.stringify({
    at: new Date().toISOString(),
    quick,
    versions,
    figures: figures.map((figure) => ({ ...figure, met: met(figure) ?? null })),
  });
}

function targetText(target: Target | undefined, unit: string): string {
  if (target?.atLeast !== undefined) return `≥ ${number(target.atLeast)} ${unit}`;
  if (target?.atMost !== undefined) return `≤ ${number(target.atMost)} ${unit}`;
  return "";
}

function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
