import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { influxTarget } from "./influx_target.ts";
import type { WatchConnection } from "./store_watch.ts";
import { StoreWatch } from "./store_watch.ts";

const target = influxTarget({ url: "http://127.0.0.1:8428", bucket: "b" });
const up = "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n";
const down = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
const lastOne = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

/** A connection whose far end is the test. */
class FakeConnection implements WatchConnection {
  pings = 0;
  closed = false;
  #reader = Promise.withResolvers<Uint8Array | null>();

  write(bytes: Uint8Array): Promise<number> {
    this.pings++;
    return Promise.resolve(bytes.length);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const chunk = await this.#reader.promise;
    this.#reader = Promise.withResolvers();
    if (chunk === null) return null;
    buffer.set(chunk);
    return chunk.length;
  }

  close(): void {
    this.closed = true;
    this.#reader.resolve(null);
  }

  /** The store says this. */
  async says(text: string): Promise<void> {
    this.#reader.resolve(new TextEncoder().encode(text));
    await settle();
  }

  /** The store closes. */
  async ends(): Promise<void> {
    this.#reader.resolve(null);
    await settle();
  }
}

/** Lets every promise that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

interface Scene {
  readonly clock: ManualClock;
  readonly opened: FakeConnection[];
  lost: number;
  refuse: boolean;
}

async function withWatch(use: (scene: Scene, watch: StoreWatch) => Promise<void>): Promise<void> {
  const scene: Scene = { clock: new ManualClock(), opened: [], lost: 0, refuse: false };
  const watch = new StoreWatch(target, scene.clock, () => scene.lost++, () => {
    if (scene.refuse) return Promise.reject(new Deno.errors.ConnectionRefused());
    const connection = new FakeConnection();
    scene.opened.push(connection);
    return Promise.resolve(connection);
  });
  await settle();
  await use(scene, watch);
  watch.close();
  await settle();
  assert.equal(scene.clock.pending, 0, "no timer is left");
  assert.ok(scene.opened.every((connection) => connection.closed), "every connection is closed");
}

Deno.test("a store that stays is pinged and never reported", () =>
  withWatch(async (scene) => {
    for (let i = 1; i <= 5; i++) {
      assert.equal(scene.opened[0]!.pings, i);
      await scene.opened[0]!.says(up);
      scene.clock.advance(2_000);
    }
    assert.equal(scene.opened.length, 1);
    assert.equal(scene.lost, 0);
  }));

Deno.test("an answer in pieces is one answer", () =>
  withWatch(async (scene) => {
    for (const piece of up) await scene.opened[0]!.says(piece);
    scene.clock.advance(2_000);
    assert.equal(scene.opened[0]!.pings, 2);
  }));

Deno.test("a crash is reported once, when the store answers again", () =>
  withWatch(async (scene, watch) => {
    await scene.opened[0]!.says(up);
    scene.refuse = true;
    await scene.opened[0]!.ends();
    for (let i = 0; i < 3; i++) {
      scene.clock.advance(200);
      await settle();
    }
    assert.equal(watch.away, true);
    scene.refuse = false;
    scene.clock.advance(200);
    await settle();
    assert.equal(scene.lost, 0, "accepting a connection is not yet an answer");
    await scene.opened[1]!.says(up);
    assert.equal(scene.lost, 1);
    assert.equal(watch.away, false);
  }));

Deno.test("a restart too fast to refuse a connection is still seen", () =>
  withWatch(async (scene) => {
    await scene.opened[0]!.says(up);
    await scene.opened[0]!.ends();
    scene.clock.advance(200);
    await settle();
    await scene.opened[1]!.says(up);
    assert.equal(scene.lost, 1);
  }));

Deno.test("a close that the store announced is no outage", () =>
  withWatch(async (scene) => {
    await scene.opened[0]!.says(up);
    scene.clock.advance(2_000);
    await scene.opened[0]!.says(lastOne);
    scene.clock.advance(0);
    await settle();
    await scene.opened[1]!.says(up);
    assert.equal(scene.opened.length, 2);
    assert.equal(scene.lost, 0);
  }));

Deno.test("one that closes after each answer is asked as often as one that does not", () =>
  withWatch(async (scene) => {
    for (let i = 0; i < 5; i++) {
      await scene.opened[i]!.says(lastOne);
      scene.clock.advance(1_999);
      await settle();
      assert.equal(scene.opened.length, i + 1);
      scene.clock.advance(1);
      await settle();
    }
    assert.equal(scene.opened.length, 6);
    assert.equal(scene.lost, 0);
  }));

Deno.test("a proxy that answers 5xx hides a store that is away", () =>
  withWatch(async (scene, watch) => {
    await scene.opened[0]!.says(up);
    scene.clock.advance(2_000);
    await scene.opened[0]!.says(down);
    assert.equal(watch.away, true);
    scene.clock.advance(200);
    await settle();
    await scene.opened[1]!.says(down);
    scene.clock.advance(200);
    await settle();
    assert.equal(scene.lost, 0);
    await scene.opened[2]!.says(up);
    assert.equal(scene.lost, 1);
  }));

Deno.test("endless garbage is not a store, and is not gathered", () =>
  withWatch(async (scene, watch) => {
    for (let i = 0; i < 20; i++) await scene.opened[0]!.says("x".repeat(1_000));
    assert.equal(scene.opened[0]!.closed, true);
    assert.equal(watch.away, true);
  }));
