/**
 * `sim load`: load over MQTT from sockets of its own, cheap enough to share a machine with what is
 * measured.
 *
 * @module
 */
import process from "node:process";
import { readCa } from "../ca.ts";
import { systemClock } from "../clock.ts";
import type { Command } from "../command.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { Metronome } from "../metronome.ts";
import { Progress, stderrOutput } from "../progress.ts";
import type { Socket } from "./connection.ts";
import { loadOptions } from "./load_options.ts";
import { describeReport } from "./load_report.ts";
import type { Credentials } from "./publisher.ts";
import { runLoad } from "./run_load.ts";

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

Exit codes: 0 all acknowledged · 1 not all · 64 wrong flag · 69 cannot connect`,
  async run(options, { print, stop }) {
    const target = await targetOf(options.url, options.ca);
    const metronome = options.rate > 0 ? new Metronome() : undefined;
    const report = await runLoad(options, {
      ...target,
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

async function targetOf(
  text: string,
  caFile: string | undefined,
): Promise<{ dial(): Promise<Socket>; credentials: Credentials }> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "mqtt:" && url.protocol !== "mqtts:")) {
    throw new CommandError(exitCodes.usage, "--url must begin with mqtt:// or mqtts://");
  }
  const secure = url.protocol === "mqtts:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (secure ? 8883 : 1883) : Number(url.port);
  const caCerts = caFile === undefined ? [] : [await readCa(caFile)];
  return {
    credentials: {
      ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
      ...(url.password !== "" && {
        password: new TextEncoder().encode(decodeURIComponent(url.password)),
      }),
    },
    async dial() {
      if (secure) return await Deno.connectTls({ hostname, port, caCerts });
      const socket = await Deno.connect({ hostname, port });
      socket.setNoDelay(true);
      return socket;
    },
  };
}
