/**
 * `sim load`: load over MQTT from sockets of its own, cheap enough to share a machine with what is
 * measured, or over a station's WebSocket or HTTP.
 *
 * @module
 */
import process from "node:process";
import { systemClock } from "../clock.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../exit_code.ts";
import { beatWaitMaxMs, Metronome } from "../metronome.ts";
import { Progress, stderrOutput } from "../progress.ts";
import { loadOptions } from "./load_options.ts";
import { describeReport } from "./load_report.ts";
import { runLoad } from "./run_load.ts";
import { targetOf } from "./targets.ts";

const benchRoutes = [
  {
    name: "bench",
    topic: "bench/{device}",
    measurement: "bench",
    tags: { device: "{device}" },
    timestamp: { key: "ts" },
  },
  {
    name: "arrival",
    topic: "arrival/{device}",
    measurement: "arrival",
    tags: { device: "{device}" },
  },
];

export const loadCommand: Command<typeof loadOptions> = {
  name: "load",
  summary: "open-loop load, or flat out, with latencies and an account for verify",
  options: loadOptions,
  notes: `The models bench and arrival need these routes in the configuration of Sluice:
${benchRoutes.map((route) => `  ${JSON.stringify(route)}`).join("\n")}

What is not acknowledged when a connection breaks is sent again: over MQTT with DUP and its packet
identifier, over ws:// with its id, over http:// under its Idempotency-Key.

Exit codes: 0 all acknowledged · 1 not all · 64 wrong flag · 66 a file cannot be used · 69 cannot connect`,
  async run(options, { print, stop }) {
    const target = await targetOf(options);
    const exact = options.rate > 0 && options.tickMs <= beatWaitMaxMs;
    const metronome = exact ? new Metronome() : undefined;
    const report = await runLoad(options, {
      target,
      clock: metronome ?? systemClock,
      cpuUs: () => {
        const { user, system } = process.cpuUsage();
        return user + system;
      },
      progress: new Progress(options.quiet ? undefined : stderrOutput()),
      stop,
    }).finally(() => metronome?.close());
    print(options.json ? JSON.stringify(report) : describeReport(report));
    return report.unacknowledged === 0 && report.rejected === 0 ? exitCodes.ok : exitCodes.failed;
  },
};
