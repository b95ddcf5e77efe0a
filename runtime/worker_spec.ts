/**
 * One Worker as data: its name, its thread, and what its program is given.
 *
 * @module
 */
import type { HostMessage } from "./worker_protocol.ts";

/** The part of a Worker that is used; a test may bring its own. */
export interface WorkerHandle {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: HostMessage, transfer: Transferable[]): void;
  terminate(): void;
}

/** One Worker as data. */
export interface WorkerSpec {
  /** Its name, also for its peers. `host` is taken. */
  readonly id: string;
  /** Starts the thread, for example `new Worker(url, { type: "module", name: id })`. */
  readonly create: () => WorkerHandle;
  /** The program's own, made for each start; any value that structured clone takes. */
  readonly init: (incarnation: number) => unknown;
  /**
   * Whether its thread has ended, once it fell silent and was terminated: false when it goes on, and
   * keeps what nobody else can do without, such as its part of a port's connections. Then the Worker
   * is `failed`, as when this rejects. Absent: a new one starts beside it.
   */
  readonly threadEnded?: () => Promise<boolean>;
  /** Instead of the host's: for one whose work stands still for long, as on a slow disk. */
  readonly silenceMs?: number;
}
