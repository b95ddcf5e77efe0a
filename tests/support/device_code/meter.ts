/**
 * Device code that keeps something: what a meter's counter was at the last reading.
 *
 * @module
 */
import type { CodePoint, CodeReading, DeviceCode } from "../../../actors/device_code.ts";

/** Payloads: a number that grows. */
export class Device implements DeviceCode {
  #last: number;

  constructor(saved?: { readonly last: number }) {
    this.#last = saved?.last ?? 0;
  }

  onReading({ payload }: CodeReading, emit: (point: CodePoint) => void): void {
    const pulses = Number(new TextDecoder().decode(payload));
    emit({ fields: { delta: pulses - this.#last } });
    this.#last = pulses;
  }

  save(): { readonly last: number } {
    return { last: this.#last };
  }
}
