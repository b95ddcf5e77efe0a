/**
 * `sim station`: a store-and-forward client, as a station in the field has to be.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import { caClient } from "../ca.ts";
import type { Command } from "../command.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { grouped, Progress, stderrOutput } from "../progress.ts";
import { Access } from "./access.ts";
import { loginAt } from "./login.ts";
import { runStation } from "./run_station.ts";
import type { UplinkEvents, UplinkSocket } from "./uplink.ts";
import { type StationOptions, stationOptions } from "./station_options.ts";

function connect(
  url: string,
  client: Deno.HttpClient | undefined,
  { opened, message, closed }: UplinkEvents,
): UplinkSocket {
  const socket = new WebSocket(url, client === undefined ? {} : { client });
  socket.onopen = opened;
  socket.onmessage = ({ data }) => message(String(data));
  socket.onclose = ({ code }) => closed(code);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

function accessOf(
  { url, name, token, password, login }: StationOptions,
  client: Deno.HttpClient | undefined,
): Access {
  const given = { url, ...(token !== undefined && { token }) };
  const secret = password ?? (Deno.env.get("SLUICE_STATION_PASSWORD") || undefined);
  if (secret === undefined) {
    if (login !== undefined) throw new CommandError(exitCodes.usage, "--login needs --password");
    return new Access(given);
  }
  const at = login ?? new URL("/login", url.replace(/^ws/, "http")).href;
  if (!/^https?:$/.test(URL.parse(at)?.protocol ?? "")) {
    throw new CommandError(exitCodes.usage, "--login must begin with http or https");
  }
  return new Access({
    ...given,
    logIn: loginAt(at, { name, password: secret, ...(client !== undefined && { client }) }),
  });
}

export const stationCommand: Command<typeof stationOptions> = {
  name: "station",
  summary: "a station with a store of its own, which loses nothing while it is offline",
  options: stationOptions,
  notes:
    "Exit codes: 0 all is acknowledged · 64 wrong flag · 66 a file cannot be used · 69 readings are left in the queue",
  async run(options, { print, stop }) {
    const { url } = options;
    if (!URL.canParse(url) || !["ws:", "wss:"].includes(new URL(url).protocol)) {
      throw new CommandError(exitCodes.usage, "--url must begin with ws or wss");
    }
    const client = await caClient(options.ca);
    const progress = new Progress(options.quiet ? undefined : stderrOutput());
    const totals = await runStation(options, {
      connect: (url, events) => connect(url, client, events),
      access: accessOf(options, client),
      trouble: (why) => {
        progress.end();
        Deno.stderr.writeSync(new TextEncoder().encode(`station: ${why}\n`));
      },
      clock: systemClock,
      progress,
      stop,
    });
    print(
      options.json
        ? JSON.stringify({ command: "station", ...totals })
        : `${grouped(totals.made)} readings made, ${grouped(totals.acknowledged)} acknowledged ` +
          `(${grouped(totals.rejected)} not stored), ${grouped(totals.queued)} left in ` +
          `${options.queue}; ${grouped(totals.connections)} connections, ` +
          `${grouped(totals.logins)} logins`,
    );
    return totals.queued === 0 ? exitCodes.ok : exitCodes.unavailable;
  },
};
