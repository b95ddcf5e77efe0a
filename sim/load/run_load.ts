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
import { BufferPool } from "./buffer_pool.ts";
import { type ConnectionEnvironment, LoadConnection, type Socket } from "./connection.ts";
import { Gate } from "./gate.ts";
import { LoadBook } from "./load_book.ts";
import type { LoadOptions } from "./load_options.ts";
import { type LoadReport, reportOf } from "./load_report.ts";
import { type MessagePlan, PacketImage } from "./packet_image.ts";
import { type Credentials, Publisher } from "./publisher.ts";
import { FlatOut, type LoadSchedule, OpenLoop } from "./schedule.ts";

/** What a run needs of the world. */
export interface LoadEnvironment {
  dial(): Promise<Socket>;
  readonly credentials: Credentials;
  readonly clock: SimClock;
  /** CPU time of this process so far, in µs. */
  cpuUs(): number;
  readonly progress: Progress;
  /** Ends the run early; what was sent is still waited for. */
  readonly stop: AbortSignal;
}

const dialsAtOnce = 64;
/** Messages that fall due within this are sent together. */
const tickMs = 0.5;
const housekeepingMs = 100;
const accountMs = 1_000;
const keepAliveCheckMs = 1_000;
/** Flat out, this share of the window must be free before it is filled: fewer, larger writes. */
const flatOutRoom = 0.25;
const writeBytesMax = 64 * 1024;

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
  readonly #publishers: Publisher[] = [];
  readonly #connections: LoadConnection[] = [];
  readonly #abort = new AbortController();
  /** Aborted when every connection has ended. */
  readonly #ended = new AbortController();
  #ends: Promise<void> = Promise.resolve();
  #failure: unknown;

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
    const { rate, connections, count = Infinity } = options;
    this.#schedule = rate > 0
      ? new OpenLoop(rate, connections, count)
      : new FlatOut(connections, count);
    this.#makeConnections();
  }

  /** Resolves when every connection is up. */
  async connect(): Promise<void> {
    this.#ends = Promise.all(this.#connections.map(async (connection) => {
      try {
        await connection.run(this.#abort.signal);
      } catch (cause) {
        this.#failure ??= cause;
        this.#abort.abort();
      }
    })).then(() => this.#ended.abort());
    await Promise.race([Promise.all(this.#connections.map(({ ready }) => ready)), this.#ends]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends for the run's duration and waits for the rest; returns how long it took in all, in ms. */
  async send(): Promise<number> {
    const { clock, stop, progress, cpuUs } = this.#env;
    const { durationS, drainS } = this.#options;
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
        for (const connection of this.#connections) connection.keepAlive();
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
    await this.#account.end(this.#env.clock.wallMs(), this.sentPerDevice());
  }

  sentPerDevice(): number[] {
    const sent = new Array<number>(this.#plan.devices).fill(0);
    const { connections } = this.#options;
    this.#publishers.forEach((publisher, index) => {
      const devices = devicesOf(index, connections, this.#plan.devices);
      devices.forEach((device, turn) => {
        sent[device] = Math.max(0, Math.ceil((publisher.sent - turn) / devices.length));
      });
    });
    return sent;
  }

  async #saveAcknowledged(): Promise<void> {
    const runs = this.#book.acknowledgedRuns.take();
    await this.#account.acknowledged(runs);
  }

  #makeConnections(): void {
    const { connections, rate, window, qos, protocol, clientId, seed, keepAliveS, giveUpS } =
      this.#options;
    const messages: MessagePlan = {
      ...this.#plan,
      model: loadModels[this.#plan.model],
      version: protocol,
      qos,
    };
    const gate = new Gate(dialsAtOnce);
    const random = new Random(seed);
    let environment: ConnectionEnvironment | undefined;
    for (let index = 0; index < connections; index++) {
      const images = devicesOf(index, connections, this.#plan.devices)
        .map((device) => new PacketImage(messages, device));
      const schedule = this.#schedule.of(index);
      const publisher = new Publisher({
        clientId: `${clientId}-${this.#plan.beganMs.toString(36)}-${index}`,
        plan: messages,
        images,
        schedule,
        book: this.#book,
        window,
        roomMin: rate > 0 ? 1 : Math.ceil(window * flatOutRoom),
      });
      environment ??= {
        ...this.#env,
        dial: () => gate.run(this.#env.dial),
        pool: new BufferPool(Math.min(writeBytesMax, Math.max(4_096, window * images[0]!.length))),
        book: this.#book,
        keepAliveS,
        giveUpMs: giveUpS * 1_000,
        readBufferBytes: Math.min(writeBytesMax, Math.max(1_024, window * 8)),
      };
      this.#publishers.push(publisher);
      this.#connections.push(
        new LoadConnection(publisher, schedule, environment, random.fork(index)),
      );
    }
  }

  #kickAll(): void {
    for (const connection of this.#connections) connection.kick();
  }

  /** Wakes the connections whose messages fell due since `kicked` messages were. */
  #kickDue(kicked: number, nowMs: number): number {
    if (this.#options.rate === 0) return kicked;
    const due = this.#schedule.due(nowMs);
    const first = Math.max(kicked, due - this.#connections.length);
    for (let g = first; g < due; g++) this.#connections[g % this.#connections.length]!.kick();
    return due;
  }

  #share(elapsedMs: number): number {
    const { count = Infinity, durationS } = this.#options;
    return Math.max(elapsedMs / (durationS * 1_000), this.#book.totals.acknowledged / count);
  }

  #progressText(): string {
    const { sent, acknowledged, reconnects, rejected } = this.#book.totals;
    const down = this.#publishers.filter(({ connected }) => !connected).length;
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

/** Connection `index` serves the devices `index`, `index + connections`, … */
function devicesOf(index: number, connections: number, devices: number): number[] {
  const found: number[] = [];
  for (let device = index; device < devices; device += connections) found.push(device);
  return found;
}
