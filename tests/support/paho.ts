/**
 * Eclipse Paho's client for Python, as tests/clients/paho_client.py uses it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram, type Program } from "../../gateways/testing/programs.ts";

const script = new URL("../clients/paho_client.py", import.meta.url).pathname;
const library = "paho/mqtt/client.py";

export const pahoNeeds: readonly Program[] = ["python3", library];

/** Subscribes to a topic and publishes to it with every QoS; throws unless it hears all of it. */
export async function runPaho(
  transport: "tcp" | "websockets",
  port: number,
  version: "3" | "5",
  topic: string,
  certificate: readonly string[] = [],
): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(findProgram("python3"), {
    args: [script, transport, String(port), version, topic, ...certificate],
    env: { PYTHONPATH: findProgram(library).slice(0, -library.length - 1) },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `${transport}, ${version}: ${decoder.decode(stderr)}`);
  const heard = decoder.decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(heard, [
    { qos: 0, length: 17, end: ": 0}" },
    { qos: 1, length: 60_017, end: ": 1}" },
    { qos: 2, length: 120_017, end: ": 2}" },
  ]);
}
