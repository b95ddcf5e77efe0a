/**
 * A load run: connects, sends by schedule, keeps the account, and reports.
 *
 * @module
 */
import { type AccountPlan, AccountWriter } from "../account.ts";
import type { SimClock } from "../clock.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { loadModels } from "../load_model.ts";
import { grouped, type Progress } from "../progress.ts";
import { Random } from "../random.ts";
import { keepTrying, type LinkEnvironment, type LoadLink } from "./link.ts";
import { LoadBook } from "./load_book.ts";
import type { LoadOptions } from "./load_options.ts";
import { type LoadReport, reportOf } from "./load_report.ts";
import { devicesOf, type LoadTarget, makeLinks } from "./make_links.ts";
import { FlatOut, type LoadSchedule, OpenLoop } from "./schedule.ts";

/** What a run needs of the world. */
export interface LoadEnvironment {
  readonly target: LoadTarget;
  readonly clock: SimClock;
  /** CPU time of this process so far, in µs. */
  cpuUs(): number;
  readonly progress: Progress;
  /** Ends the run early; what was sent is still waited for. */
  readonly stop: AbortSignal;
}

const housekeepingMs = 100;
const accountMs = 1_000;
const keepAliveCheckMs = 1_000;

/** Runs the load and resolves when all is acknowledged, or was waited for long enough. */
export async function runLoad(options: LoadOptions, env: LoadEnvironment): Promise<LoadReport> {
  const plan = planOf(options, env.clock);
  const book = new LoadBook(plan.devices);
  const account = await AccountWriter.create(options.account, plan);
  const run = new LoadRun(options, env, plan, book, account);
  try {
    await run.connect();
    const startedMs = env.clock.wallMs();
    const elapsedMs = await run.send();
    return reportOf(options, plan, book, startedMs, elapsedMs, run.cpuUs, run.sentPerDevice());
  } finally {
    await run.close();
  }
}

class LoadRun {
  cpuUs = 0;
  readonly #options: LoadOptions;
  readonly #env: LoadEnvironment;
  readonly #plan: AccountPlan;
  readonly #book: LoadBook;
  readonly #account: AccountWriter;
  readonly #schedule: LoadSchedule;
  readonly #shared: LinkEnvironment;
  readonly #links: readonly LoadLink[];
  readonly #abort = new AbortController();
  /** Aborted when every connection has ended. */
  readonly #ended = new AbortController();
  #ends: Promise<void> = Promise.resolve();
  #failure: unknown;
  #sending = false;

  constructor(
    options: LoadOptions,
    env: LoadEnvironment,
    plan: AccountPlan,
    book: LoadBook,
    account: AccountWriter,
  ) {
    this.#options = options;
    this.#env = env;
    this.#plan = plan;
    this.#book = book;
    this.#account = account;
    const { rate, connections, count = Infinity, keepAliveS, giveUpS, seed } = options;
    this.#schedule = rate > 0
      ? new OpenLoop(rate, connections, count)
      : new FlatOut(connections, count);
    const { clock, target, progress } = env;
    const connectFailed = (why: string): void => {
      if (this.#sending) return;
      const text = `no connection yet: ${why}; given up after ${giveUpS} s (--give-up-s)`;
      progress.update(clock.nowMs(), undefined, () => text);
    };
    this.#shared = {
      clock,
      book,
      random: new Random(seed),
      keepAliveS,
      giveUpMs: giveUpS * 1_000,
      connectFailed,
    };
    this.#links = makeLinks(target, options, plan, this.#schedule, this.#shared);
  }

  /** Resolves when every connection is up. */
  async connect(): Promise<void> {
    this.#ends = Promise.all(this.#links.map(async (link) => {
      try {
        await keepTrying(link, this.#shared, this.#abort.signal);
      } catch (cause) {
        this.#failure ??= cause;
        this.#abort.abort();
      }
    })).then(() => this.#ended.abort());
    await Promise.race([Promise.all(this.#links.map(({ ready }) => ready)), this.#ends]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends for the run's duration and waits for the rest; returns how long it took in all, in ms. */
  async send(): Promise<number> {
    const { clock, stop, progress, cpuUs } = this.#env;
    const { durationS, drainS, tickMs } = this.#options;
    this.#sending = true;
    const cpuStartUs = cpuUs();
    const startMs = clock.nowMs();
    const stopMs = startMs + durationS * 1_000;
    this.#schedule.start(startMs);
    this.#kickAll();
    let drainUntilMs = Infinity;
    let accountAtMs = startMs + accountMs;
    let keepAliveAtMs = startMs + keepAliveCheckMs;
    let kicked = 0;
    let saving: Promise<void> = Promise.resolve();
    while (!this.#ended.signal.aborted) {
      const untilDueMs = this.#schedule.nextMs(kicked) - clock.nowMs();
      await clock.sleep(Math.max(tickMs, Math.min(housekeepingMs, untilDueMs)), this.#ended.signal);
      const nowMs = clock.nowMs();
      if (drainUntilMs === Infinity && (nowMs >= stopMs || stop.aborted)) {
        this.#schedule.stop(Math.min(nowMs, stopMs));
        drainUntilMs = nowMs + drainS * 1_000;
        this.#kickAll();
      }
      if (nowMs >= drainUntilMs) this.#abort.abort();
      kicked = this.#kickDue(kicked, nowMs);
      if (nowMs >= accountAtMs) {
        accountAtMs = nowMs + accountMs;
        saving = saving.then(() => this.#saveAcknowledged());
      }
      if (nowMs >= keepAliveAtMs) {
        keepAliveAtMs = nowMs + keepAliveCheckMs;
        for (const link of this.#links) link.keepAlive();
      }
      progress.update(nowMs, this.#share(nowMs - startMs), () => this.#progressText());
    }
    progress.end();
    await this.#ends;
    await saving;
    this.cpuUs = cpuUs() - cpuStartUs;
    if (this.#failure !== undefined) throw this.#failure;
    return clock.nowMs() - startMs;
  }

  /** Ends what still runs and completes the account. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#ends;
    await this.#saveAcknowledged();
    await this.#account.end(Math.round(this.#env.clock.wallMs()), this.sentPerDevice());
  }

  sentPerDevice(): number[] {
    const sent = new Array<number>(this.#plan.devices).fill(0);
    const { connections } = this.#options;
    this.#links.forEach((link, index) => {
      const devices = devicesOf(index, connections, this.#plan.devices);
      devices.forEach((device, turn) => {
        sent[device] = Math.max(0, Math.ceil((link.sent - turn) / devices.length));
      });
    });
    return sent;
  }

  async #saveAcknowledged(): Promise<void> {
    const runs = this.#book.acknowledgedRuns.take();
    await this.#account.acknowledged(runs);
  }

  #kickAll(): void {
    for (const link of this.#links) link.kick();
  }

  /** Wakes the connections whose messages fell due since `kicked` messages were. */
  #kickDue(kicked: number, nowMs: number): number {
    if (this.#options.rate === 0) return kicked;
    const due = this.#schedule.due(nowMs);
    const first = Math.max(kicked, due - this.#links.length);
    for (let g = first; g < due; g++) this.#links[g % this.#links.length]!.kick();
    return due;
  }

  #share(elapsedMs: number): number {
    const { count = Infinity, durationS } = this.#options;
    return Math.max(elapsedMs / (durationS * 1_000), this.#book.totals.acknowledged / count);
  }

  #progressText(): string {
    const { sent, acknowledged, reconnects, rejected } = this.#book.totals;
    const down = this.#links.filter(({ connected }) => !connected).length;
    return `${grouped(acknowledged)} acknowledged, ${
      grouped(sent - acknowledged - rejected)
    } open` +
      (reconnects > 0 ? `, ${reconnects} reconnects` : "") +
      (down > 0 ? `, ${down} connections down` : "");
  }
}

function planOf(options: LoadOptions, clock: SimClock): AccountPlan {
  const { connections, devices = connections, rate, qos, seed, poisonEvery } = options;
  if (devices < connections) {
    throw new CommandError(
      exitCodes.usage,
      `--devices ${devices} does not go round: each of the ${connections} connections needs one`,
    );
  }
  const beganMs = clock.wallMs();
  const stepMs = rate > 0 ? Math.max(1, Math.round(1_000 * devices / rate)) : 1;
  return {
    kind: "plan",
    version: 1,
    model: options.model,
    topic: options.topic ?? loadModels[options.model].topic,
    devices,
    qos,
    seed,
    beganMs,
    startMs: options.startMs ?? beganMs,
    stepMs: options.stepMs ?? stepMs,
    poisonEvery,
  };
}
