/**
 * What a device costs that Sluice knows: after 100,000 have sent, active and then passivated.
 *
 * @module
 */
import type { BenchOptions, Figure, Measure } from "./measure.ts";

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const devices = quick ? 20_000 : 100_000;
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--v8-flags=--expose-gc",
      "--allow-env",
      "--allow-read",
      "--allow-write",
      "--allow-sys",
      "--allow-net=127.0.0.1",
      new URL("./known_devices_probe.ts", import.meta.url).pathname,
      String(devices),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(output.stdout).trim().split("\n").at(-1) ?? "";
  if (!output.success) throw new Error(`the probe of known devices failed: ${text}`);
  const parsed: unknown = JSON.parse(text);
  const bytes = (name: string): number => {
    const value: unknown = Object(parsed)[name];
    if (typeof value !== "number") throw new TypeError(`the probe gave no ${name}: ${text}`);
    return value;
  };
  say(text);
  const figure = (state: string, atMost: number, detail: string): Figure => ({
    name: `known devices, ${devices.toLocaleString("en")}: memory of each, ${state}`,
    value: bytes(state) / 1_000,
    unit: "KB",
    target: { atMost },
    detail,
  });
  const topic = bytes("topic");
  return [
    figure("active", 2, `${topic} bytes of it for its topic`),
    figure("passivated", 0.5, `its topic, ${topic} bytes, is forgotten soon after`),
  ];
}

export const knownDevices: Measure = { name: "known", title: "known devices", run };
