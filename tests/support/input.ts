/**
 * What the tests of bad input share: clients, the readings that are stored, and the watch over
 * those who must not notice.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "../../gateways/testing/programs.ts";
import { RawClient } from "./raw_mqtt.ts";
import { assertConserved, type Books, metrics, settledBooks, type Sluice } from "./sluice.ts";

/** Publishes one message with `mosquitto_pub`, which must be acknowledged. */
export async function publish(
  port: number,
  topic: string,
  payload: string | Uint8Array<ArrayBuffer>,
  qos: 0 | 1 | 2 = 1,
): Promise<void> {
  const child = new Deno.Command(findProgram("mosquitto_pub"), {
    // It takes no empty message from stdin.
    args: ["-h", "127.0.0.1", "-p", String(port), "-q", String(qos), "-t", topic].concat(
      payload.length === 0 ? "-n" : "-s",
    ),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(typeof payload === "string" ? new TextEncoder().encode(payload) : payload);
  await writer.close();
  const { code, stderr } = await child.output();
  assert.equal(code, 0, `mosquitto_pub: ${new TextDecoder().decode(stderr)}`);
}

/** One value of `GET /api/readings`. */
export interface StoredValue {
  readonly time: string;
  readonly device: string;
  readonly metric: string;
  readonly value: number;
}

/** All that is stored, or all of one device, in the order of its times and metrics. */
export async function storedValues(
  httpUrl: string,
  device?: string,
  token?: string,
): Promise<StoredValue[]> {
  const query = new URLSearchParams({ limit: "10000" });
  if (device !== undefined) query.set("device", device);
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const response = await fetch(`${httpUrl}/api/readings?${query}`, headers && { headers });
  const page: { readonly items: StoredValue[]; readonly next?: string } = await response.json();
  assert.ok(response.ok, JSON.stringify(page));
  assert.equal(page.next, undefined, "more than one page");
  const key = ({ time, device, metric }: StoredValue): string => `${time} ${device} ${metric}`;
  return page.items.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
}

/** `device.metric=value`, without times: what most cases are about. */
export async function storedSeries(httpUrl: string, device?: string): Promise<string[]> {
  const values = await storedValues(httpUrl, device);
  return values.map(({ device, metric, value }) => `${device}.${metric}=${value}`).toSorted();
}

/** Settled readings of one outcome and reason. */
export async function settledFor(
  httpUrl: string,
  outcome: "refused" | "dead_lettered",
  reason: string,
): Promise<number> {
  const sum = await metrics(httpUrl);
  return sum("sluice_readings_settled_total", `outcome="${outcome}",reason="${reason}"`);
}

/**
 * Those who must not notice: sessions that were there before, on every shard, and the next good
 * reading. Whatever a test does in between, {@linkcode Bystanders.undisturbed} must hold.
 */
export class Bystanders implements Disposable {
  readonly #sluice: Sluice;
  readonly #sessions: readonly RawClient[];
  #round = 0;

  private constructor(sluice: Sluice, sessions: readonly RawClient[]) {
    this.#sluice = sluice;
    this.#sessions = sessions;
  }

  /** Eight sessions: the kernel spreads them over the shards. */
  static async join(sluice: Sluice): Promise<Bystanders> {
    const versions = [4, 5, 4, 5, 4, 5, 4, 5] as const;
    return new Bystanders(
      sluice,
      await Promise.all(versions.map((version) => RawClient.connect(sluice.mqttPort, version))),
    );
  }

  /** Every session publishes, is acknowledged and stored; nothing has crashed; the books balance. */
  async undisturbed(): Promise<Books> {
    const { httpUrl } = this.#sluice;
    const round = ++this.#round;
    await Promise.all(this.#sessions.map(async (session, i) => {
      assert.equal(await session.publish(`good/bystander_${i}`, `{"round":${round}}`), 0);
    }));
    const now = await settledBooks(httpUrl);
    assertConserved(now);
    const sum = await metrics(httpUrl);
    assert.equal(sum("sluice_actor_restarts_total"), 0, "an actor was restarted");
    assert.equal(sum("sluice_mqtt_connections_ended_crashed_total"), 0, "a session crashed");
    for (const [i] of this.#sessions.entries()) {
      const values = await storedValues(httpUrl, `good~bystander_${i}`);
      assert.equal(values.at(-1)?.value, round);
      assert.equal(values.length, round);
    }
    return now;
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session[Symbol.dispose]();
  }
}
