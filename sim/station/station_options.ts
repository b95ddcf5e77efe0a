/**
 * The flags of `sim station`.
 *
 * @module
 */
import { flag, number, type OptionValues, text } from "../options.ts";

export const stationOptions = {
  url: text({
    default: "ws://127.0.0.1:8080/ws",
    of: "URL",
    doc: "ws:// or wss:// of the service's stations",
  }),
  name: text({ default: "UPB/RPi_1", of: "NAME", doc: "the station's name, and its topic" }),
  queue: text({
    default: "station.queue",
    of: "FILE",
    doc: "where readings wait until they are acknowledged",
  }),
  token: text({
    default: undefined,
    of: "TOKEN",
    doc: "what POST /login gave",
    defaultDoc: "none",
  }),
  password: text({
    default: undefined,
    of: "PASSWORD",
    doc: "log in with it and --name, again when the token ends, and go where the login says",
    defaultDoc: "$SLUICE_STATION_PASSWORD, else no login",
  }),
  login: text({
    default: undefined,
    of: "URL",
    doc: "where to log in",
    defaultDoc: "/login of the service",
  }),
  ca: text({
    default: undefined,
    of: "FILE",
    defaultDoc: "the system's",
    doc: "certificate authorities for wss:// and the login, PEM",
  }),
  rate: number({
    default: 1,
    min: 0.000_1,
    max: 1_000,
    integer: false,
    of: "PER_S",
    doc: "readings a second",
  }),
  count: number({ default: 0, min: 0, doc: "readings to make; 0: until it is stopped" }),
  backlogRate: number({
    default: 200,
    min: 1,
    max: 100_000,
    of: "PER_S",
    doc: "readings of the backlog a second at most",
  }),
  drift: number({
    default: 0,
    min: -1_000_000,
    max: 1_000_000,
    integer: false,
    of: "PPM",
    doc: "how much too fast the station's clock goes, in millionths",
  }),
  skewMs: number({
    default: 0,
    min: -1e12,
    max: 1e12,
    of: "MS",
    doc: "how much the station's clock is ahead",
  }),
  json: flag({ doc: "print the totals as one line of JSON on stdout" }),
  quiet: flag({ doc: "no progress on stderr" }),
} as const;

export type StationOptions = OptionValues<typeof stationOptions>;
