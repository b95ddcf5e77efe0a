/**
 * One run of messages from publishers to subscribers. Publishers have a window, with QoS 0 too:
 * they send on when all subscribers have got what was sent before, so no broker has to drop.
 *
 * @module
 */
import { forAll } from "./for_all.ts";
import { pause } from "./pause.ts";
import { publishPackets, PubSubClient } from "./pubsub_client.ts";

/** Who sends to whom. */
export interface Pattern {
  readonly name: string;
  /** Groups of clients that have nothing to do with each other. */
  readonly groups: number;
  /** Of each group. Every subscriber gets what every publisher sends. */
  readonly publishers: number;
  readonly subscribers: number;
  /** Messages of a publisher on their way at most: two writes. */
  readonly window: number;
}

export interface ExchangeResult {
  /** Deliveries that are due. */
  readonly due: number;
  readonly delivered: number;
  readonly deliveredPerS: number;
}

const payload = new Uint8Array(64).fill(0x78);
/** Without a delivery for so long, the rest is lost. */
const silenceMs = 2_000;

let runs = 0;

/** Opens all connections, sends for `durationMs`, and waits for what is on its way. */
export async function exchange(
  port: number,
  pattern: Pattern,
  qos: 0 | 1,
  durationMs: number,
): Promise<ExchangeResult> {
  using clients = new DisposableStack();
  const groups: Group[] = [];
  const run = `ps${Deno.pid}x${runs++}`;
  const open = async (name: string) =>
    clients.use(await PubSubClient.connect(port, `${run}-${name}`));
  for (let g = 0; g < pattern.groups; g++) groups.push(new Group(pattern, qos));
  await forAll(groups, async (group, g) => {
    await forAll(Array.from({ length: pattern.subscribers }), async (_, s) => {
      const client = await open(`s${g}x${s}`);
      await client.subscribe(`${run}/${g}/+`, qos);
      group.subscriber(client);
    });
    await forAll(Array.from({ length: pattern.publishers }), async (_, p) => {
      group.publisher(await open(`p${g}x${p}`), `${run}/${g}/${p}`);
    });
  });
  const startMs = performance.now();
  for (const group of groups) group.start();
  await pause(durationMs);
  for (const group of groups) group.stop();
  const endMs = await silence(groups);
  for (const group of groups) group.check();
  const delivered = sumOf(groups, (group) => group.delivered);
  return {
    due: sumOf(groups, (group) => group.sent) * pattern.subscribers,
    delivered,
    deliveredPerS: delivered / (endMs - startMs) * 1_000,
  };
}

/** Waits until everything has come, or nothing comes any more. Gives the time of the last one. */
async function silence(groups: readonly Group[]): Promise<number> {
  for (;;) {
    const lastMs = Math.max(...groups.map((group) => group.lastMs));
    if (groups.every((group) => group.complete)) return lastMs;
    if (performance.now() - lastMs > silenceMs) return lastMs;
    await pause(5);
  }
}

class Group {
  sent = 0;
  lastMs = performance.now();
  readonly #qos: 0 | 1;
  readonly #burst: number;
  readonly #sentMax: number;
  readonly #publishers: Publisher[] = [];
  readonly #subscribers: PubSubClient[] = [];
  #sending = false;
  #next = 0;

  constructor({ window, publishers }: Pattern, qos: 0 | 1) {
    this.#qos = qos;
    this.#burst = window / 2;
    this.#sentMax = window * publishers;
  }

  get delivered(): number {
    return sumOf(this.#subscribers, (client) => client.received);
  }

  get complete(): boolean {
    return this.#subscribers.every((client) => client.received >= this.sent) &&
      this.#publishers.every((publisher) => publisher.idle);
  }

  subscriber(client: PubSubClient): void {
    this.#subscribers.push(client);
    client.progressed = () => {
      this.lastMs = performance.now();
      this.#pump();
    };
  }

  publisher(client: PubSubClient, topic: string): void {
    const topics = new Array<string>(this.#burst).fill(topic);
    const bursts = [1, 1 + this.#burst].map((firstId) =>
      publishPackets(topics, payload, { qos: this.#qos, firstId })
    );
    const publisher: Publisher = new Publisher(client, this.#qos, bursts, this.#burst, () => {
      this.#offer(publisher);
    });
    this.#publishers.push(publisher);
  }

  start(): void {
    this.#sending = true;
    this.#pump();
  }

  stop(): void {
    this.#sending = false;
  }

  check(): void {
    for (const client of this.#subscribers) client.check();
    for (const { client } of this.#publishers) client.check();
  }

  /** Gives all publishers their turn while there is room. */
  #pump(): void {
    for (let i = 0; i < this.#publishers.length && this.#hasRoom(); i++) {
      this.#next = (this.#next + 1) % this.#publishers.length;
      this.#offer(this.#publishers[this.#next]!);
    }
  }

  #offer(publisher: Publisher): void {
    if (!publisher.ready || !this.#hasRoom()) return;
    this.sent += this.#burst;
    publisher.send();
  }

  #hasRoom(): boolean {
    if (!this.#sending) return false;
    let slowest = Infinity;
    for (const { received } of this.#subscribers) if (received < slowest) slowest = received;
    return this.sent + this.#burst - slowest <= this.#sentMax;
  }
}

class Publisher {
  readonly client: PubSubClient;
  readonly #qos: 0 | 1;
  /** Sent in turns, so that packet identifiers in flight differ. */
  readonly #bursts: readonly Uint8Array[];
  readonly #burst: number;
  readonly #again: () => void;
  #sent = 0;
  #writing = false;

  constructor(
    client: PubSubClient,
    qos: 0 | 1,
    bursts: readonly Uint8Array[],
    burst: number,
    again: () => void,
  ) {
    this.client = client;
    this.#qos = qos;
    this.#bursts = bursts;
    this.#burst = burst;
    this.#again = again;
    client.progressed = again;
  }

  get #unacknowledged(): number {
    return this.#qos === 0 ? 0 : this.#sent * this.#burst - this.client.acknowledgements;
  }

  get ready(): boolean {
    return !this.#writing && this.#unacknowledged <= this.#burst;
  }

  get idle(): boolean {
    return !this.#writing && this.#unacknowledged === 0;
  }

  send(): void {
    this.#writing = true;
    this.client.send(this.#bursts[this.#sent++ % 2]!).then(() => {
      this.#writing = false;
      this.#again();
    }, () => {}); // The client has it for `check`, for its read fails too.
  }
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
