/**
 * The refs of a link, as addresses in messages and back: what the other end may hold of this
 * Worker, and what is held here of the other.
 *
 * @module
 */
import type { ActorRef } from "./actor.ts";
import type { RefAddress, RefCodec, Target } from "./frames.ts";
import { RemoteExports } from "./remote_exports.ts";
import { RemoteImports } from "./remote_imports.ts";
import type { PublishedNames } from "./remote_names.ts";
import { isOneShot, isRef, LostRef, RemoteRef, type RemoteRoute } from "./remote_ref.ts";

export interface RemoteRefsOptions {
  /** Name of the other Worker. */
  readonly peer: string;
  readonly names: PublishedNames;
  readonly route: RemoteRoute;
  readonly exportsMax: number;
  /** Tells the other end that a ref, received `times`, is held no more. */
  readonly release: (id: number, times: number) => void;
}

export class RemoteRefs implements RefCodec {
  readonly #options: RemoteRefsOptions;
  readonly #exports: RemoteExports;
  readonly #imports: RemoteImports;
  readonly #named = new Map<string, RemoteRef>();

  constructor(options: RemoteRefsOptions) {
    this.#options = options;
    this.#exports = new RemoteExports(options.exportsMax);
    this.#imports = new RemoteImports(options.route, options.release);
  }

  // --- Of the other Worker.

  /** The actor published there under `name`; always the same ref. */
  named(name: string): RemoteRef {
    let ref = this.#named.get(name);
    if (ref === undefined) {
      const { route, peer } = this.#options;
      ref = new RemoteRef(route, name, `${peer}:${name}`, false);
      this.#named.set(name, ref);
    }
    return ref;
  }

  refAt({ home, target, path, oneShot }: RefAddress): ActorRef<never> {
    if (home === "receiver") return this.local(target) ?? new LostRef(path);
    if (typeof target === "string") return this.named(target);
    return oneShot
      ? new RemoteRef(this.#options.route, target, path, true)
      : this.#imports.refAt(target, path);
  }

  // --- Of this Worker.

  addressOf(value: object): RefAddress | undefined {
    if (value instanceof RemoteRef && value.route === this.#options.route) {
      const { target, path, oneShot } = value;
      return { home: "receiver", target, path, oneShot };
    }
    if (!isRef(value)) return undefined;
    const target = this.#exports.idOf(value);
    return { home: "sender", target, path: value.path, oneShot: isOneShot(value) };
  }

  written(kept: boolean): void {
    this.#exports.written(kept);
  }

  released(id: number, times: number): void {
    this.#exports.released(id, times);
  }

  /** The actor that the other end means. */
  local(target: Target): ActorRef<never> | undefined {
    return typeof target === "string"
      ? this.#options.names.get(target)?.actor
      : this.#exports.get(target);
  }

  /** Where a message for it goes; an address for one answer is used up by that. */
  recipient(target: Target): ActorRef<unknown> | undefined {
    return typeof target === "string"
      ? this.#options.names.get(target)
      : this.#exports.take(target);
  }

  /** The other end is gone. */
  lost(): void {
    this.#exports.clear();
  }
}
