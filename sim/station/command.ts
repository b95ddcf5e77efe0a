/**
 * `sim station`: a store-and-forward client, as a station in the field has to be.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import type { Command } from "../command.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { grouped } from "../progress.ts";
import { runStation } from "./run_station.ts";
import type { UplinkEvents, UplinkSocket } from "./uplink.ts";
import { stationOptions } from "./station_options.ts";

function connect(url: string, { opened, message, closed }: UplinkEvents): UplinkSocket {
  const socket = new WebSocket(url);
  socket.onopen = opened;
  socket.onmessage = ({ data }) => message(String(data));
  socket.onclose = closed;
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

export const stationCommand: Command<typeof stationOptions> = {
  name: "station",
  summary: "a station with a store of its own, which loses nothing while it is offline",
  options: stationOptions,
  notes: "Exit codes: 0 all is acknowledged · 64 wrong flag · 69 readings are left in the queue",
  async run(options, { print, stop }) {
    const { url } = options;
    if (!URL.canParse(url) || !["ws:", "wss:"].includes(new URL(url).protocol)) {
      throw new CommandError(exitCodes.usage, "--url must begin with ws or wss");
    }
    const totals = await runStation(options, {
      connect: (events) => connect(url, events),
      clock: systemClock,
      stop,
    });
    print(
      options.json
        ? JSON.stringify({ command: "station", ...totals })
        : `${grouped(totals.made)} readings made, ${grouped(totals.acknowledged)} acknowledged ` +
          `(${grouped(totals.rejected)} not stored), ${grouped(totals.queued)} left in ` +
          `${options.queue}; ${grouped(totals.connections)} connections`,
    );
    return totals.queued === 0 ? exitCodes.ok : exitCodes.unavailable;
  },
};
