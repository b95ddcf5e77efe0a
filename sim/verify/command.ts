/**
 * `sim verify`: whether the store holds what a load run was told that it holds.
 *
 * @module
 */
import { type Account, accountFile, readAccount } from "../account.ts";
import { systemClock } from "../clock.ts";
import { caClient } from "../ca.ts";
import type { Command } from "../command.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { choice, flag, number, text } from "../options.ts";
import { grouped } from "../progress.ts";
import { InfluxDBStore } from "./influxdb.ts";
import type { StoreAccess } from "./json_lines.ts";
import type { Findings } from "./reading_check.ts";
import { isClean, runVerify } from "./run_verify.ts";
import type { SampleStore } from "./samples.ts";
import { SluiceStore } from "./sluice.ts";
import { VictoriaMetricsStore } from "./victoria_metrics.ts";

const verifyOptions = {
  account: text({ default: accountFile, of: "FILE", doc: "what `sim load` wrote" }),
  store: choice(["sluice", "victoriametrics", "influxdb"], {
    default: "sluice",
    doc: "sluice is the embedded store, over its HTTP; influxdb is 1.x",
  }),
  url: text({
    default: undefined,
    of: "URL",
    defaultDoc: "the store's usual port on 127.0.0.1",
    doc: "where the store answers",
  }),
  token: text({
    default: undefined,
    of: "TOKEN",
    doc: "what POST /login gave, where accounts are asked for; or the store's own",
    defaultDoc: "none",
  }),
  ca: text({
    default: undefined,
    of: "FILE",
    defaultDoc: "the system's",
    doc: "certificate authorities for https://, PEM",
  }),
  database: text({ default: "sluice", of: "NAME", doc: "InfluxDB's database" }),
  measurement: text({
    default: undefined,
    of: "NAME",
    defaultDoc: "the model's",
    doc: "measurement that the route writes",
  }),
  deviceTag: text({
    default: undefined,
    of: "TAG",
    defaultDoc: "the model's",
    doc: "tag that the route writes the device's name to",
  }),
  lateS: number({
    default: 0,
    min: 0,
    integer: false,
    of: "S",
    doc: "how long after the run a reading may have arrived: behind a broker it may be late",
  }),
  waitS: number({
    default: 30,
    min: 0,
    integer: false,
    of: "S",
    doc: "how long to ask again while readings are missing",
  }),
  json: flag({ doc: "print the findings as one line of JSON on stdout" }),
} as const;

export const verifyCommand: Command<typeof verifyOptions> = {
  name: "verify",
  summary: "compares what load was acknowledged with what the store holds",
  options: verifyOptions,
  notes: `Missing, duplicated, at a wrong time, with a wrong value, or never sent: each is counted.
Exit codes: 0 all there, nothing else · 1 not so · 64 wrong flag · 66 no account, or a file cannot be used · 69 no store`,
  async run(options, { print, stop }) {
    const account = endedLater(await accountAt(options.account), options.lateS * 1_000);
    const { measurement, deviceTag, token } = options;
    using client = await caClient(options.ca);
    const authorization = token && `Bearer ${token}`;
    const findings = await runVerify(
      account,
      storeOf(options, { client, authorization }),
      {
        waitMs: options.waitS * 1_000,
        ...(measurement !== undefined && { measurement }),
        ...(deviceTag !== undefined && { deviceTag }),
      },
      systemClock,
      stop,
    );
    const cutOff = account.end === undefined;
    print(
      options.json
        ? JSON.stringify({ command: "verify", cutOff, ok: isClean(findings), ...findings })
        : describe(findings, cutOff),
    );
    return isClean(findings) ? exitCodes.ok : exitCodes.failed;
  },
};

/** The broker acknowledged by the end of the run; when it passed the readings on is its own affair. */
function endedLater(account: Account, lateMs: number): Account {
  const { end } = account;
  return end === undefined
    ? account
    : { ...account, end: { ...end, endedMs: end.endedMs + lateMs } };
}

async function accountAt(path: string): Promise<Account> {
  try {
    return await readAccount(path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof Deno.errors.NotFound)) throw cause;
    throw new CommandError(exitCodes.input, `cannot use --account ${path}: ${cause.message}`, {
      cause,
    });
  }
}

function storeOf(
  { store, url, database }: { store: string; url: string | undefined; database: string },
  access: StoreAccess,
): SampleStore {
  if (url !== undefined && !URL.canParse(url)) {
    throw new CommandError(exitCodes.usage, "--url must be a URL such as http://127.0.0.1:8428");
  }
  switch (store) {
    case "victoriametrics":
      return new VictoriaMetricsStore(url ?? "http://127.0.0.1:8428", access);
    case "influxdb":
      return new InfluxDBStore(url ?? "http://127.0.0.1:8086", database, access);
    default:
      return new SluiceStore(url ?? "http://127.0.0.1:8080", access);
  }
}

function describe(findings: Findings, cutOff: boolean): string {
  const { expected, stored, storedUnacknowledged, repeats, faults, examples } = findings;
  const lines = [
    `${grouped(stored)} of ${grouped(expected)} acknowledged readings are stored; missing ` +
    `${grouped(faults.missing)}, duplicated ${grouped(faults.duplicated)}, wrong time ` +
    `${grouped(faults.wrongTime)}, wrong value ${grouped(faults.wrongValue)}, unexpected ` +
    `${grouped(faults.unexpected)}`,
  ];
  if (storedUnacknowledged > 0) {
    lines.push(`stored though not acknowledged: ${grouped(storedUnacknowledged)}`);
  }
  if (repeats > 0) lines.push(`samples that the store holds twice, alike: ${grouped(repeats)}`);
  if (cutOff) lines.push("the account was cut off: what was sent after its last line is not known");
  return [...lines, ...examples.map((example) => `  ${example}`)].join("\n");
}
