/**
 * What a load run found out, as JSON and as text.
 *
 * @module
 */
import type { AccountPlan } from "../account.ts";
import { grouped } from "../progress.ts";
import type { LatencySummary } from "./latency.ts";
import type { LoadBook, LoadTotals } from "./load_book.ts";
import type { LoadOptions } from "./load_options.ts";

/** Durations in the unit that the name ends in. */
export interface LoadReport extends LoadTotals {
  readonly command: "load";
  readonly model: string;
  /** The scheme of the URL. */
  readonly transport: string;
  readonly connections: number;
  readonly devices: number;
  readonly qos: number;
  readonly window: number;
  /** Messages a second that were asked for; 0: flat out. */
  readonly rate: number;
  readonly seed: number;
  /** When the first message could be sent: every connection was up; ms since the epoch. */
  readonly startedMs: number;
  readonly elapsedMs: number;
  readonly acknowledgedPerS: number;
  /** Sent, and neither acknowledged nor rejected in time. */
  readonly unacknowledged: number;
  readonly latencyMs: {
    /** Corrected for coordinated omission: from when the message was due. */
    readonly sinceDue: LatencySummary;
    readonly sinceSent: LatencySummary;
  };
  /** CPU time of the simulator per acknowledged message. */
  readonly cpuUsPerMessage: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly breaks: Readonly<Record<string, number>>;
  /** How far the readings' own times ran ahead of the clock; negative: behind. */
  readonly timeAheadMs: number;
}

export function reportOf(
  options: LoadOptions,
  plan: AccountPlan,
  book: LoadBook,
  startedMs: number,
  elapsedMs: number,
  cpuUs: number,
  sentPerDevice: readonly number[],
): LoadReport {
  const { totals } = book;
  const most = sentPerDevice.reduce((a, b) => Math.max(a, b), 0);
  return {
    command: "load",
    model: plan.model,
    transport: options.url.split(":")[0]!,
    connections: options.connections,
    devices: plan.devices,
    qos: plan.qos,
    window: options.window,
    rate: options.rate,
    seed: plan.seed,
    startedMs: Math.round(startedMs),
    elapsedMs: Math.round(elapsedMs),
    acknowledgedPerS: Math.round(totals.acknowledged / elapsedMs * 1_000),
    ...totals,
    unacknowledged: totals.sent - totals.acknowledged - totals.rejected,
    latencyMs: { sinceDue: book.sinceDue.summary(), sinceSent: book.sinceSent.summary() },
    cpuUsPerMessage: totals.acknowledged === 0 ? 0 : round(cpuUs / totals.acknowledged),
    reasons: Object.fromEntries(book.reasons),
    breaks: Object.fromEntries(book.breaks),
    timeAheadMs: Math.round(plan.startMs + most * plan.stepMs - (plan.beganMs + elapsedMs)),
  };
}

/** For people. */
export function describeReport(report: LoadReport): string {
  const { latencyMs, reasons, breaks } = report;
  const transport = report.transport.startsWith("mqtt") ? `QoS ${report.qos}` : report.transport;
  const lines = [
    `${grouped(report.acknowledged)} of ${grouped(report.sent)} messages acknowledged in ` +
    `${(report.elapsedMs / 1_000).toFixed(1)} s: ${grouped(report.acknowledgedPerS)}/s ` +
    `(${transport}, ${grouped(report.connections)} connections, window ${report.window})`,
    `latency, ms     p50      p90      p99    p99.9      max`,
    `  since due ${row(latencyMs.sinceDue)}`,
    `  since sent${row(latencyMs.sinceSent)}`,
    `CPU of the simulator: ${report.cpuUsPerMessage} µs a message`,
  ];
  if (report.unacknowledged > 0) lines.push(`NOT acknowledged: ${grouped(report.unacknowledged)}`);
  if (report.rejected > 0) lines.push(`rejected: ${grouped(report.rejected)}`);
  if (report.reconnects > 0 || report.connectFailures > 0) {
    lines.push(
      `reconnects ${report.reconnects}, failed attempts ${report.connectFailures}, ` +
        `messages sent again ${grouped(report.resent)}`,
    );
  }
  for (const [reason, count] of Object.entries(reasons)) {
    lines.push(`  ${reason}: ${grouped(count)}`);
  }
  for (const [reason, count] of Object.entries(breaks)) {
    lines.push(`  ${reason}: ${grouped(count)}`);
  }
  return lines.join("\n");
}

function row({ p50, p90, p99, p999, max }: LatencySummary): string {
  return [p50, p90, p99, p999, max].map((ms) => ms.toFixed(2).padStart(9)).join("");
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
