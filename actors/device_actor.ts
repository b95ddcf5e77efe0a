/**
 * The actor of one device: hands each reading to the {@linkcode Device}, in the order of its mail.
 * A crash, which only code of a route's module can cause, costs what that code did not save and
 * nothing of the device's; passivation puts the device to rest in the directory.
 *
 * @module
 */
import type { Actor, Context, StopReason } from "../runtime/actor.ts";
import type { Failure } from "../runtime/failure.ts";
import { CodeTimeoutError } from "./code_limit.ts";
import type { CodeStrikes } from "./code_strikes.ts";
import type { CodeTrace } from "./code_trace.ts";
import type { Device } from "./device.ts";
import type { DeviceCode } from "./device_code.ts";
import type { DeviceDirectory } from "./device_directory.ts";
import type { DeviceCodes } from "./device_module.ts";
import type { DeviceOutlet, Reading } from "./reading.ts";
import type { CompiledRoute } from "./route.ts";

/** What the device actors of a shard share. */
export interface DeviceActorOptions<R extends Reading> {
  readonly directory: DeviceDirectory;
  readonly outlet: DeviceOutlet<R>;
  readonly codes: DeviceCodes;
  readonly trace?: CodeTrace;
  readonly strikes: CodeStrikes;
}

/**
 * Code that took so long is followed by the event loop: a whole slice of such calls would keep a
 * shard from telling that it lives.
 */
const giveWayMs = 1;

const utf8 = new TextEncoder();

/** One incarnation; `id` is the device id. Fits `start` of a keyed spec. */
export class DeviceActor<R extends Reading> implements Actor<R> {
  readonly #options: DeviceActorOptions<R>;
  readonly #device: Device;
  /** By route, made when first needed: most devices have none. */
  #codes: Map<number, DeviceCode> | undefined;
  /** The id as the trace takes it. */
  #traced: Uint8Array | undefined;

  constructor(id: string, options: DeviceActorOptions<R>) {
    this.#options = options;
    this.#device = options.directory.activate(id);
  }

  receive(reading: R, context: Context<R>): void {
    const { codes, outlet } = this.#options;
    if (codes.has(reading.entry.route.index)) this.#runCode(reading, context);
    else this.#device.take(reading, outlet);
  }

  stopped(reason: StopReason, context: Context<R>, failure?: Failure): void {
    const { directory } = this.#options;
    if (failure !== undefined) {
      this.#device.crashed(`${failure.name}: ${failure.message}`, context.clock.now());
    }
    if (reason !== "failed") directory.passivate(this.#device.id);
  }

  #runCode(reading: R, context: Context<R>): void {
    const { outlet, trace, strikes } = this.#options;
    const { id } = this.#device;
    if (strikes.out(id)) {
      throw new Error(
        "the device's code did not return, or took its shard down: it is not run before the next start, " +
          "or before the device is released from quarantine",
      );
    }
    this.#traced ??= utf8.encode(id);
    const startMs = context.clock.monotonic();
    trace?.enter(this.#traced);
    try {
      this.#device.take(reading, outlet, this.#codeOf(reading.entry.route));
    } catch (error) {
      if (error instanceof CodeTimeoutError) strikes.add(id);
      throw error;
    } finally {
      trace?.leave();
      if (context.clock.monotonic() - startMs >= giveWayMs) context.giveWay();
    }
  }

  #codeOf({ index, name }: CompiledRoute): DeviceCode | undefined {
    const make = this.#options.codes.get(index);
    if (make === undefined) return undefined;
    this.#codes ??= new Map();
    let code = this.#codes.get(index);
    if (code === undefined) {
      code = make(this.#device.codeStates?.get(name));
      this.#codes.set(index, code);
    }
    return code;
  }
}
