import assert from "node:assert/strict";
import { everyDevice, hashOf, pathOf, placeOf, viewOf } from "./device_view.js";

Deno.test("an address keeps the search and the page, whatever is searched for", () => {
  for (
    const view of [
      everyDevice,
      { id: "a&b=#%é ~", presence: "", cursor: "" },
      { id: "", presence: "offline", cursor: "Yw_-" },
    ]
  ) assert.deepEqual(viewOf(`#${hashOf(view)}`), view);
  assert.equal(hashOf(everyDevice), "");
});

Deno.test("of what is none of its words an address says nothing", () => {
  assert.deepEqual(viewOf(""), everyDevice);
  assert.deepEqual(viewOf("#devices-title"), everyDevice);
  assert.deepEqual(viewOf("#presence=asleep&x=1&id=a"), { ...everyDevice, id: "a" });
});

Deno.test("the API is asked for what the address says", () => {
  assert.equal(pathOf(everyDevice), "/api/devices?limit=50");
  assert.equal(
    pathOf({ id: "a&b", presence: "silent", cursor: "Yw" }),
    "/api/devices?limit=50&contains=a%26b&presence=silent&cursor=Yw",
  );
});

const places = [
  [{ count: 50, isLast: false, pagesBefore: 0, total: 100_000 }, "1–50 of 100,000"],
  [{ count: 50, isLast: false, pagesBefore: 20, total: 100_000 }, "1,001–1,050 of 100,000"],
  [{ count: 50, isLast: false, pagesBefore: 1, total: undefined }, "51–100 of more than 100"],
  // The books are older than the page.
  [{ count: 50, isLast: false, pagesBefore: 0, total: 50 }, "1–50 of more than 50"],
  [{ count: 7, isLast: true, pagesBefore: 1, total: undefined }, "51–57 of 57"],
  [{ count: 50, isLast: false, pagesBefore: undefined, total: 100_000 }, "50 of them"],
  [{ count: 3, isLast: true, pagesBefore: undefined, total: undefined }, "the last 3 of them"],
] as const;

Deno.test("a page says where in the list it stands, as far as is known", () => {
  for (const [place, text] of places) assert.equal(placeOf(place), text);
});
