/**
 * Operations on quarantined devices.
 *
 * @module
 */
import { json, noContent, page, query, ref, table, text } from "../operation.ts";

const tag = "service";

/** Devices whose code crashed again and again; answered by the main thread. */
export const quarantineOperations = table({
  getQuarantine: {
    method: "GET",
    path: "/api/quarantine",
    tag,
    summary: "The devices in quarantine",
    doc: "A device whose code crashes again and again is handed no more readings: they are dead " +
      "letters. So are those of a device whose code took its shard down, until the service is " +
      "stopped. `lastError` says why; `DELETE /api/quarantine/{id}` gives it another chance.",
    access: "reader",
    parameters: [...page, query("prefix", "Only those whose ids begin so.")],
    answers: [json("A page, in the order of ids.", ref("DevicePage"))],
    problems: ["unavailable"],
  },
  releaseDevice: {
    method: "DELETE",
    path: "/api/quarantine/{id}",
    tag,
    summary: "Gives a quarantined device another chance",
    doc: "Its next reading is handed to its code again. Dead letters are for " +
      "`POST /api/dead-letters/replay`.",
    access: "operator",
    parameters: [{
      in: "path",
      name: "id",
      doc: "Of the device. A slash in it as it is, or as `%2F`.",
      schema: text,
      rest: true,
    }],
    answers: [noContent("It is quarantined no more.")],
    problems: ["not-found", "not-quarantined", "unavailable"],
  },
});
