/**
 * `sim fleet`: devices of several models, to look at and to play with.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import type { Command } from "../command.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { readCa } from "../ca.ts";
import { grouped, Progress, stderrOutput } from "../progress.ts";
import { fleetOptions } from "./fleet_options.ts";
import { connectMqtt } from "./mqtt_client.ts";
import { runFleet } from "./run_fleet.ts";

const schemes = ["mqtt:", "mqtts:", "ws:", "wss:"];

export const fleetCommand: Command<typeof fleetOptions> = {
  name: "fleet",
  summary: "devices of several models that send now and then",
  options: fleetOptions,
  notes:
    "Exit codes: 0 readings were acknowledged · 64 wrong flag · 66 a file cannot be used · 69 none was",
  async run(options, { print, stop }) {
    if (!URL.canParse(options.url) || !schemes.includes(new URL(options.url).protocol)) {
      throw new CommandError(exitCodes.usage, "--url must begin with mqtt, mqtts, ws or wss");
    }
    const ca = options.ca === undefined ? undefined : await readCa(options.ca);
    let lastRefusal: Error | undefined;
    const totals = await runFleet(options, {
      connect: (clientId) => connectMqtt(options, clientId, ca, (cause) => lastRefusal = cause),
      clock: systemClock,
      progress: new Progress(options.quiet ? undefined : stderrOutput()),
      stop,
    });
    if (totals.acknowledged === 0 && totals.published > 0) {
      const reason = lastRefusal === undefined ? "no answer" : lastRefusal.message;
      throw new CommandError(exitCodes.unavailable, `no reading was acknowledged: ${reason}`);
    }
    print(
      options.json
        ? JSON.stringify({ command: "fleet", ...totals })
        : `${grouped(totals.acknowledged)} of ${
          grouped(totals.published)
        } readings acknowledged; ` +
          `${grouped(totals.skipped)} skipped, ${grouped(totals.failed)} failed`,
    );
    return exitCodes.ok;
  },
};
