/**
 * A run's plan for tests.
 *
 * @module
 */
import { loadModels } from "../load_model.ts";
import type { MessagePlan } from "../load/packet_image.ts";

/** `bench`, QoS 1, MQTT 3.1.1, a reading each ms from a round moment on. */
export function testPlan(changes: Partial<MessagePlan> = {}): MessagePlan {
  return {
    model: loadModels.bench,
    topic: "bench/d{n}",
    qos: 1,
    version: 4,
    seed: 7,
    startMs: 1_700_000_000_000,
    stepMs: 1,
    poisonEvery: 0,
    ...changes,
  };
}
