import assert from "node:assert/strict";
import fc from "fast-check";
import { type Books, closeBooks, imbalance, Ledger, ledgerMemory, readBooks } from "./ledger.ts";

Deno.test("the law holds after every entry", () => {
  const step = fc.constantFrom(
    "received",
    "edge",
    "refuse",
    "duplicate",
    "dead",
    "spool",
    "store",
    "recover",
    "spoolDead",
  );
  fc.assert(fc.property(fc.array(step), (steps) => {
    const memory = ledgerMemory();
    const ledger = new Ledger(memory);
    for (const s of steps) {
      const { inFlight, spool } = ledger.books();
      if (s === "received") ledger.received(0);
      if (s === "edge") ledger.refusedAtEdge(1, "no_route");
      if (s === "refuse" && inFlight > 0) ledger.refused("no_fields");
      if (s === "duplicate" && inFlight > 0) ledger.duplicate();
      if (s === "dead" && inFlight > 0) ledger.deadLettered("bad_json");
      if (s === "spool") ledger.spooled(inFlight);
      if (s === "store") ledger.stored(spool);
      if (s === "recover") ledger.recovered(3);
      if (s === "spoolDead" && spool > 0) ledger.deadLetteredFromSpool("rejected");
      assert.equal(imbalance(readBooks(memory)), 0);
    }
  }));
});

const sum = (a: Books, b: Books): Books => ({
  received: Object.fromEntries(
    Object.keys(a.received).map((key) => {
      const name = key as keyof Books["received"];
      return [name, (a.received[name] ?? 0) + (b.received[name] ?? 0)];
    }),
  ),
  stored: a.stored + b.stored,
  duplicate: a.duplicate + b.duplicate,
  deadLettered: a.deadLettered + b.deadLettered,
  refused: a.refused + b.refused,
  inFlight: a.inFlight + b.inFlight,
  spool: a.spool + b.spool,
  // What the first handed to the second is in the books of both.
  adopted: a.adopted,
});

Deno.test("closing a dead shard's books keeps the law with its successor, whatever was on disk", () => {
  const amount = fc.nat({ max: 1000 });
  fc.assert(fc.property(
    fc.record({ stored: amount, inFlight: amount, spool: amount, refused: amount }),
    amount,
    (state, recovered) => {
      const last: Books = {
        ...state,
        received: { mqtt: state.stored + state.inFlight + state.spool + state.refused },
        duplicate: 0,
        deadLettered: 0,
        adopted: 0,
      };
      const successor = new Ledger();
      successor.adopted(recovered);
      const { books, lost } = closeBooks(last, recovered);
      assert.ok(lost >= 0 && books.stored >= last.stored);
      assert.equal(imbalance(sum(books, successor.books())), 0);
    },
  ));
});
