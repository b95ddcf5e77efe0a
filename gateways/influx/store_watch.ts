/**
 * Notices that a store went away and came back though no write failed meanwhile: VictoriaMetrics
 * answers before its data is on disk, so what it accepted just before a crash may be gone.
 *
 * One connection is kept and used for a ping every two seconds, so the store has no reason to
 * close it. When it closes all the same, without having announced that (`Connection: close`), or
 * when a connection is refused, the store counts as away until a ping is answered again.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { InfluxTarget } from "./influx_target.ts";

/** The part of a connection that is used; tests give their own. */
export type WatchConnection = Pick<Deno.Conn, "read" | "write" | "close">;
/** Opens a connection to the store. */
export type Connect = (target: InfluxTarget) => Promise<WatchConnection>;

const pingIntervalMs = 2_000;
const reconnectMs = 200;
/** More than any header block of a ping: what is longer is not a store. */
const answerBytesMax = 16 * 1024;

/** Watches from construction to `close`. Calls `lost` each time the store is back from an outage. */
export class StoreWatch {
  readonly #target: InfluxTarget;
  readonly #clock: Clock;
  readonly #lost: () => void;
  readonly #connect: Connect;
  #connection: WatchConnection | undefined;
  #timer: Timer | undefined;
  #away = false;
  #closed = false;

  constructor(
    target: InfluxTarget,
    clock: Clock,
    lost: () => void,
    connect: Connect = connectTo,
  ) {
    this.#target = target;
    this.#clock = clock;
    this.#lost = lost;
    this.#connect = connect;
    this.#open();
  }

  /** Whether the store is known to be away just now. */
  get away(): boolean {
    return this.#away;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Every ending of a connection leads here again; the reason only decides `away`. */
  async #open(): Promise<void> {
    const openedMs = this.#clock.monotonic();
    let announced = false;
    try {
      announced = await this.#follow(await this.#connect(this.#target));
    } catch { // Refused, reset, unreachable: all the same outage. The writer reports errors.
      announced = false;
    }
    this.#timer?.clear();
    if (this.#closed) return;
    if (!announced) this.#away = true;
    const lastedMs = this.#clock.monotonic() - openedMs;
    this.#timer = this.#clock.setTimer(reopenMs(announced, lastedMs), () => this.#open());
  }

  /** Pings until the connection ends. True when the store announced the end. */
  async #follow(connection: WatchConnection): Promise<boolean> {
    if (this.#closed) {
      connection.close();
      return false;
    }
    this.#connection = connection;
    const request = new TextEncoder().encode(
      `HEAD ${this.#target.pingPath} HTTP/1.1\r\nHost: ${
        new URL(this.#target.baseUrl).host
      }\r\n\r\n`,
    );
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(2048);
    let text = "";
    let announced = false;
    try {
      await connection.write(request);
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) return announced;
        text += decoder.decode(buffer.subarray(0, count), { stream: true });
        if (text.length > answerBytesMax) return false;
        if (!text.includes("\r\n\r\n")) continue;
        if (!isUp(text)) return false;
        announced = saysClose(text);
        text = "";
        this.#answered();
        if (announced) return true;
        this.#timer = this.#clock.setTimer(pingIntervalMs, () => {
          connection.write(request).catch(() => {}); // The pending read ends with the same error.
        });
      }
    } finally {
      if (this.#connection === connection) {
        this.#connection = undefined;
        connection.close();
      }
    }
  }

  #answered(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#lost();
  }
}

/**
 * At once after a close that was announced: a store that restarts refuses for longer than this takes.
 * One that closes after each answer is asked no more often than another.
 */
function reopenMs(announced: boolean, lastedMs: number): number {
  if (!announced) return reconnectMs;
  return lastedMs >= pingIntervalMs ? 0 : pingIntervalMs;
}

/** Any answer but 5xx: a proxy whose store is away answers that. */
function isUp(head: string): boolean {
  return /^HTTP\/1\.[01] [1-4]/.test(head);
}

function saysClose(head: string): boolean {
  return /^HTTP\/1\.0/.test(head) || /^connection: *close *$/im.test(head);
}

function connectTo({ hostname, port, tls }: InfluxTarget): Promise<Deno.Conn> {
  return tls ? Deno.connectTls({ hostname, port }) : Deno.connect({ hostname, port });
}
