/**
 * Operations on bans.
 *
 * @module
 */
import { json, noContent, page, ref, table, text } from "../operation.ts";

const tag = "limits";

/** Who may not connect for a time; answered by the main thread. */
export const banOperations = table({
  getBans: {
    method: "GET",
    path: "/api/bans",
    tag,
    summary: "Who may not connect for a time, and why",
    access: "admin",
    spares: "admin",
    parameters: page,
    answers: [json("A page, in the order of keys.", ref("BanPage"))],
    problems: ["unavailable"],
  },
  addBan: {
    method: "POST",
    path: "/api/bans",
    tag,
    summary: "Bans a client id, an account or an address for a time",
    doc: "Connections that there are end at once. A ban that there is begins anew.",
    access: "admin",
    spares: "admin",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: ref("BanOrder"),
          example: { address: "192.0.2.7", forS: 3_600, reason: "scans" },
        },
      },
    },
    answers: [{ ...json("The ban.", ref("Ban")), status: 201 }],
    problems: ["unavailable"],
  },
  liftBan: {
    method: "DELETE",
    path: "/api/bans/{key}",
    tag,
    summary: "Lifts a ban",
    access: "admin",
    spares: "admin",
    parameters: [{ in: "path", name: "key", doc: "Of the ban.", schema: text, rest: true }],
    answers: [noContent("It is lifted.")],
    problems: ["not-found", "unavailable"],
  },
});
