import assert from "node:assert/strict";
import { isNoteTarget, type LinkNote, noteTargets, parseNote } from "./link_note.ts";

const { post, release, watch, unwatch, ended } = noteTargets;

const notes: readonly (readonly [number, unknown, LinkNote])[] = [
  [post, undefined, { kind: "post", message: undefined }],
  [post, { any: "thing" }, { kind: "post", message: { any: "thing" } }],
  [release, [7, 2], { kind: "release", id: 7, times: 2 }],
  [watch, 7, { kind: "watch", target: 7 }],
  [watch, "name", { kind: "watch", target: "name" }],
  [unwatch, 7, { kind: "unwatch", target: 7 }],
  [ended, ["name", "failed"], { kind: "ended", target: "name", reason: "failed" }],
];

Deno.test("each note is read as what it is", () => {
  for (const [to, message, note] of notes) {
    assert.ok(isNoteTarget(to));
    assert.deepEqual(parseNote(to, message), note);
  }
});

Deno.test("what is no note is refused, and says where it went", () => {
  for (
    const [to, message] of [
      [-6, undefined],
      [release, 7],
      [release, [7]],
      [release, ["7", 1]],
      [watch, undefined],
      [watch, [7]],
      [unwatch, {}],
      [ended, [7]],
      [ended, [7, "crashed"]],
      [ended, [{}, "failed"]],
    ] as const
  ) assert.throws(() => parseNote(to, message), new RegExp(`^TypeError: .* to ${to}:`));
});

Deno.test("actors are no place for notes", () => {
  for (const target of [0, 1, "post", "-1"]) assert.equal(isNoteTarget(target), false);
});
