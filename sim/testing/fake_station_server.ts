/**
 * The service's side of a station's WebSocket, in memory: acknowledges, or breaks, as a test says.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { FrameSocket, FrameSocketEvents } from "../load/station_link.ts";

export interface StationReading {
  readonly station: string;
  readonly id: number;
  readonly topic: string;
  readonly payload: unknown;
}

/** What becomes of a reading; `broken`: the connection ends instead of an answer. */
export type ReadingFate = "acknowledged" | "rejected" | "broken";

/** See the module. */
export class FakeStationServer {
  /** All readings in the order they came, repetitions too. */
  readonly received: StationReading[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** The most readings that were not acknowledged at once on a connection. */
  mostOpen = 0;
  readonly token: string | undefined;
  readonly #credit: number;
  readonly #fate: (reading: StationReading, order: number) => ReadingFate;

  constructor(
    options: {
      readonly token?: string;
      readonly credit?: number;
      readonly fate?: (reading: StationReading, order: number) => ReadingFate;
    } = {},
  ) {
    this.token = options.token;
    this.#credit = options.credit ?? 256;
    this.#fate = options.fate ?? (() => "acknowledged");
  }

  readonly connect = (events: FrameSocketEvents): FrameSocket => {
    let open = true;
    let unacknowledged = 0;
    let station = "";
    const close = (code: number) => {
      if (!open) return;
      open = false;
      setImmediate(() => events.closed(code, ""));
    };
    const answer = (frame: unknown) =>
      setImmediate(() => {
        if (open) events.message(JSON.stringify(frame));
      });
    setImmediate(events.opened);
    return {
      close: () => close(1000),
      send: (text) => {
        if (!open) return;
        const { type, ...frame } = JSON.parse(text);
        if (type === "hello") {
          station = String(frame.station);
          this.tokens.push(frame.token);
          return answer({ type: "welcome", credit: this.#credit });
        }
        const { id, topic, payload } = frame;
        const reading = { station, id: Number(id), topic: String(topic), payload };
        const fate = this.#fate(reading, this.received.push(reading));
        this.mostOpen = Math.max(this.mostOpen, ++unacknowledged);
        if (fate === "broken") return close(1006);
        setImmediate(() => unacknowledged--);
        const rejected = [{ index: 0, outcome: "dead_lettered", reason: "not_an_object" }];
        answer({ type: "ack", id, ...(fate === "rejected" ? { rejected } : {}) });
      },
    };
  };
}
