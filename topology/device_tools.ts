/**
 * What the devices of one thread share, made of the configuration.
 *
 * @module
 */
import { CodeLimit } from "../actors/code_limit.ts";
import type { CodeStateRoom } from "../actors/code_state_room.ts";
import type { DeviceTools } from "../actors/device.ts";
import { ChangeCounter } from "../actors/device_changes.ts";
import { DeviceCodeRunner } from "../actors/device_code.ts";
import { ShapeTable } from "../actors/device_values.ts";
import { Fingerprint } from "../actors/fingerprint.ts";
import { WindowRoom } from "../actors/fingerprint_window.ts";
import type { Config } from "../config.ts";
import type { DataFlowTap } from "./data_flow_tap.ts";

/**
 * `windowBytes`: what fingerprints that are not young any more may take together. `codeRoom`: for
 * what code keeps.
 */
export function makeDeviceTools(
  { device, limits }: Config,
  windowBytes: number,
  codeRoom: CodeStateRoom,
  tap?: DataFlowTap,
): DeviceTools {
  return {
    shapes: new ShapeTable(),
    fingerprint: new Fingerprint(),
    codeRunner: new DeviceCodeRunner(
      new CodeLimit(device.codeTimeoutMs),
      device.codeStateBytesMax,
    ),
    codeRoom,
    changes: new ChangeCounter(),
    windowRoom: new WindowRoom(windowBytes),
    payloadBytesMax: limits.payloadBytesMax,
    ...(tap === undefined ? {} : { onDecoded: tap.decoded, onCoded: tap.coded }),
  };
}
