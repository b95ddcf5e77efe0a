/**
 * What a host and its Worker say to each other beside the link between them: starting, being
 * alive, being linked to other Workers, ending. Each side parses what it hears.
 *
 * The Worker says `loaded` as soon as it can hear; the host answers `boot`; the Worker says `stage` for
 * what its start is at, `ready` when its program has started, and `heartbeat` until it ends.
 *
 * @module
 */
import type { Failure } from "./failure.ts";
import { isFields } from "./fields.ts";

export type HostMessage =
  | {
    readonly kind: "boot";
    readonly id: string;
    /** 0 for the first start, one more for each restart. */
    readonly incarnation: number;
    readonly heartbeatMs: number;
    /** The program's own; any value that structured clone takes. */
    readonly init: unknown;
    /** The link to the host. */
    readonly port: MessagePort;
  }
  /** A link to the Worker `peer`. */
  | { readonly kind: "link"; readonly peer: string; readonly port: MessagePort }
  /** The Worker `peer` is lost. */
  | { readonly kind: "unlink"; readonly peer: string; readonly reason: string }
  | { readonly kind: "stop" };

export type WorkerMessage =
  | { readonly kind: "loaded" }
  | { readonly kind: "stage"; readonly stage: string }
  | { readonly kind: "ready" }
  | { readonly kind: "heartbeat" }
  | { readonly kind: "stopped" }
  /** The Worker is broken, and has closed itself. */
  | { readonly kind: "failed"; readonly failure: Failure };

/** @throws {TypeError} when it is none. */
export function parseHostMessage(value: unknown): HostMessage {
  if (isFields(value)) {
    const { kind, id, incarnation, heartbeatMs, init, peer, port, reason } = value;
    if (kind === "stop") return { kind };
    if (kind === "link" && typeof peer === "string" && port instanceof MessagePort) {
      return { kind, peer, port };
    }
    if (kind === "unlink" && typeof peer === "string" && typeof reason === "string") {
      return { kind, peer, reason };
    }
    if (
      kind === "boot" && typeof id === "string" && typeof incarnation === "number" &&
      typeof heartbeatMs === "number" && port instanceof MessagePort
    ) return { kind, id, incarnation, heartbeatMs, init, port };
  }
  throw new TypeError("Cannot read the message from the host: it is of no known kind");
}

/** @throws {TypeError} when it is none. */
export function parseWorkerMessage(value: unknown): WorkerMessage {
  if (isFields(value)) {
    const { kind, failure, stage } = value;
    if (kind === "stage" && typeof stage === "string") return { kind, stage };
    if (kind === "loaded" || kind === "ready" || kind === "heartbeat" || kind === "stopped") {
      return { kind };
    }
    if (kind === "failed" && isFields(failure)) {
      const { name, message, stack, atMs } = failure;
      if (typeof name === "string" && typeof message === "string" && typeof atMs === "number") {
        const base = { name, message, atMs };
        return { kind, failure: typeof stack === "string" ? { ...base, stack } : base };
      }
    }
  }
  throw new TypeError("Cannot read the message from the Worker: it is of no known kind");
}
