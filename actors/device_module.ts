/**
 * Loads the code that routes name for their devices.
 *
 * @module
 */
import { failureOf, failurePlace } from "../runtime/failure.ts";
import { type CodeLimit, CodeTimeoutError } from "./code_limit.ts";
import type { DeviceCode } from "./device_code.ts";
import { type CompiledRoute, RouteError } from "./route.ts";

/**
 * Makes the code of one device, by the index of its route; absent: the route has none. `kept` is what
 * an earlier instance has kept, as JSON.
 */
export type DeviceCodes = ReadonlyMap<number, (kept?: string) => DeviceCode>;

const isDeviceCode = (value: unknown): value is DeviceCode =>
  typeof value === "object" && value !== null && "onReading" in value &&
  typeof value.onReading === "function";

/**
 * Loads the modules of all routes. `load` imports one (`(module) => import(module)`), so that who
 * calls decides what a path is relative to.
 *
 * @throws {RouteError} for a module that cannot be loaded or exports no class `Device`.
 */
export async function loadDeviceCodes(
  routes: readonly CompiledRoute[],
  load: (module: string) => Promise<unknown>,
  limit: CodeLimit,
): Promise<DeviceCodes> {
  const codes = new Map<number, (kept?: string) => DeviceCode>();
  for (const { module: name, index } of routes) {
    if (name === undefined) continue;
    const at = `routes[${index}].module`;
    const module = await load(name).catch((cause: unknown) => {
      throw new RouteError(at, `cannot load ${name}: ${String(cause)}`, { cause });
    });
    const hasClass = typeof module === "object" && module !== null && "Device" in module;
    const made = hasClass ? module.Device : undefined;
    if (typeof made !== "function") {
      throw new RouteError(at, `${name} exports no class Device`);
    }
    codes.set(index, (kept) => {
      const code = kept === undefined
        ? limit.run((): unknown => Reflect.construct(made, []))
        : restored(name, () =>
          limit.run((): unknown => Reflect.construct(made, [JSON.parse(kept)])));
      if (isDeviceCode(code)) return code;
      throw new RouteError(at, `the class Device of ${name} has no method onReading`);
    });
  }
  return codes;
}

/** The code may not know what an older version of it has kept; what is kept stays as it is then. */
function restored<T>(module: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof CodeTimeoutError) throw cause;
    const failure = failureOf(cause, 0);
    throw new Error(
      `the class Device of ${module} threw when it was handed what its save() returned before: ` +
        `${failure.name}: ${failure.message} ${
          failurePlace(failure) ?? ""
        }; that is kept: mend the module, and try the dead letter again`,
      { cause },
    );
  }
}
