/**
 * The account of a load run: what was acknowledged, kept on disk while the run goes on, so that
 * `verify` can compare it with the store. JSON lines: the plan, then runs of acknowledged counters
 * as they come, then how the run ended. A last line that is cut off is left out.
 *
 * @module
 */
import { dirname } from "node:path";
import { type Fields, isFields } from "./fields.ts";
import { CounterRanges } from "./counter_ranges.ts";
import { type LoadModelName, loadModelNames } from "./load_model.ts";

/** Where `load` keeps its account and `verify` looks for it, unless told otherwise. */
export const accountFile = "data/sim_account.jsonl";

/** First line: all that decides what was sent. Times in ms since the epoch. */
export interface AccountPlan {
  readonly kind: "plan";
  readonly version: 1;
  readonly model: LoadModelName;
  /** With `{n}` for the device's number. */
  readonly topic: string;
  readonly devices: number;
  readonly qos: 0 | 1 | 2;
  readonly seed: number;
  /** When the run began. */
  readonly beganMs: number;
  /** Time of message 0 of each device, and the step to the next, in a payload with its own time. */
  readonly startMs: number;
  readonly stepMs: number;
  /** Every so many-th message of a device was broken on purpose; 0: none. */
  readonly poisonEvery: number;
}

/** Acknowledged since the line before: `[device, from, to]`, `to` not included. */
export interface AccountAcknowledged {
  readonly kind: "acknowledged";
  readonly runs: readonly (readonly [device: number, from: number, to: number])[];
}

/** Last line. Without it the run was cut off, and more may have been sent than is known. */
export interface AccountEnd {
  readonly kind: "end";
  readonly endedMs: number;
  /** Per device: how many messages were sent, acknowledged or not. */
  readonly sent: readonly number[];
}

/** An account as read back. */
export interface Account {
  readonly plan: AccountPlan;
  /** By device. */
  readonly acknowledged: readonly CounterRanges[];
  /** Absent when the run was cut off. */
  readonly end: AccountEnd | undefined;
}

/** Gathers acknowledged counters between two lines of the account. */
export class AcknowledgedRuns {
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  #closed: [number, number, number][] = [];

  constructor(devices: number) {
    this.#from = new Uint32Array(devices);
    this.#to = new Uint32Array(devices);
  }

  add(device: number, counter: number): void {
    if (counter !== this.#to[device]) {
      this.#close(device);
      this.#from[device] = counter;
    }
    this.#to[device] = counter + 1;
  }

  /** What came since the last call. */
  take(): [number, number, number][] {
    for (let device = 0; device < this.#from.length; device++) this.#close(device);
    const runs = this.#closed;
    this.#closed = [];
    return runs;
  }

  #close(device: number): void {
    const from = this.#from[device]!;
    const to = this.#to[device]!;
    if (to > from) this.#closed.push([device, from, to]);
    this.#from[device] = to;
  }
}

/**
 * Appends to an account file.
 *
 * @example
 * ```ts
 * import { AccountWriter, readAccount } from "./account.ts";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile();
 * const writer = await AccountWriter.create(path, {
 *   kind: "plan", version: 1, model: "bench", topic: "bench/d{n}", devices: 2, qos: 1, seed: 1,
 *   beganMs: 1_700_000_000_000, startMs: 1_700_000_000_000, stepMs: 1, poisonEvery: 0,
 * });
 * await writer.acknowledged([[0, 0, 10], [1, 0, 9], [1, 10, 11]]);
 * await writer.end(1_700_000_001_000, [10, 11]);
 *
 * const account = await readAccount(path);
 * assert.equal(account.acknowledged[1]!.size, 10);
 * assert.deepEqual(account.end?.sent, [10, 11]);
 * ```
 */
export class AccountWriter {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Makes the file, and its directory, anew. */
  static async create(path: string, plan: AccountPlan): Promise<AccountWriter> {
    await Deno.mkdir(dirname(path), { recursive: true });
    const writer = new AccountWriter(
      await Deno.open(path, { write: true, create: true, truncate: true }),
    );
    await writer.#append(plan);
    return writer;
  }

  /** Resolves once the runs are on disk. */
  async acknowledged(runs: AccountAcknowledged["runs"]): Promise<void> {
    if (runs.length > 0) await this.#append({ kind: "acknowledged", runs });
  }

  async end(endedMs: number, sent: readonly number[]): Promise<void> {
    await this.#append({ kind: "end", endedMs, sent });
    this.#file.close();
  }

  async #append(line: AccountPlan | AccountAcknowledged | AccountEnd): Promise<void> {
    let rest = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    while (rest.length > 0) rest = rest.subarray(await this.#file.write(rest));
    await this.#file.syncData();
  }
}

/** Reads an account. Throws a `SyntaxError` that names the line when it is not one. */
export async function readAccount(path: string): Promise<Account> {
  return parseAccount((await Deno.readTextFile(path)).split("\n"));
}

/** Reads an account from its lines; what follows the last line break is left out. */
export function parseAccount(lines: readonly string[]): Account {
  const plan = parseLine(lines[0] ?? "", 0);
  if (plan.kind !== "plan") throw new SyntaxError("Account line 1 is not the plan of a run");
  const acknowledged = Array.from({ length: plan.devices }, () => new CounterRanges());
  let end: AccountEnd | undefined;
  for (let i = 1; i < lines.length - 1; i++) {
    const line = parseLine(lines[i]!, i);
    if (line.kind === "plan") throw new SyntaxError(`Account line ${i + 1} is a second plan`);
    if (line.kind === "end") {
      end = line;
    } else {
      for (const [device, from, to] of line.runs) {
        const ranges = acknowledged[device];
        if (ranges === undefined) {
          throw new SyntaxError(`Account line ${i + 1} has device ${device} of ${plan.devices}`);
        }
        ranges.add(from, to);
      }
    }
  }
  if (end !== undefined && end.sent.length !== plan.devices) {
    throw new SyntaxError(`Account ends with ${end.sent.length} devices of ${plan.devices}`);
  }
  return { plan, acknowledged, end };
}

type AccountLine = AccountPlan | AccountAcknowledged | AccountEnd;

function parseLine(text: string, index: number): AccountLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Account line ${index + 1} is not JSON`, { cause });
  }
  const line = isFields(value) ? planOf(value) ?? acknowledgedOf(value) ?? endOf(value) : undefined;
  if (line === undefined) throw new SyntaxError(`Account line ${index + 1} is of no known form`);
  return line;
}

function planOf(value: Fields): AccountPlan | undefined {
  const { kind, version, topic, devices, qos, seed, beganMs, startMs, stepMs, poisonEvery } = value;
  const model = loadModelNames.find((name) => name === value.model);
  if (kind !== "plan" || version !== 1 || model === undefined || typeof topic !== "string") {
    return undefined;
  }
  if (qos !== 0 && qos !== 1 && qos !== 2) return undefined;
  if (!isCount(devices) || !isCount(seed) || !isCount(beganMs) || !isCount(startMs)) {
    return undefined;
  }
  if (!isCount(stepMs) || !isCount(poisonEvery)) return undefined;
  return {
    kind,
    version,
    model,
    topic,
    devices,
    qos,
    seed,
    beganMs,
    startMs,
    stepMs,
    poisonEvery,
  };
}

function acknowledgedOf({ kind, runs }: Fields): AccountAcknowledged | undefined {
  if (kind !== "acknowledged" || !Array.isArray(runs)) return undefined;
  const checked: [number, number, number][] = [];
  for (const run of runs) {
    if (!Array.isArray(run) || run.length !== 3) return undefined;
    const [device, from, to]: unknown[] = run;
    if (!isCount(device) || !isCount(from) || !isCount(to)) return undefined;
    checked.push([device, from, to]);
  }
  return { kind, runs: checked };
}

function endOf({ kind, endedMs, sent }: Fields): AccountEnd | undefined {
  if (kind !== "end" || !isCount(endedMs) || !Array.isArray(sent)) return undefined;
  return sent.every(isCount) ? { kind, endedMs, sent } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
