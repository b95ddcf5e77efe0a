/**
 * Device code that goes wrong when its payload says so.
 *
 * @module
 */
import type { CodePoint, CodeReading, DeviceCode } from "../../../actors/device_code.ts";

/** Payloads: a number; `throw`, at once; `crash`, later; `spin`, for ever; `spin later`. */
export class Device implements DeviceCode {
  onReading({ payload }: CodeReading, emit: (point: CodePoint) => void): void {
    const text = new TextDecoder().decode(payload);
    switch (text) {
      case "throw":
        throw new Error("the trap throws");
      case "crash":
        setTimeout(() => {
          throw new Error("the trap throws later");
        });
        return;
      case "spin":
        for (;;);
      case "spin later":
        setTimeout(() => {
          for (;;);
        });
        return;
      default:
        emit({ fields: { value: Number(text) } });
    }
  }
}
