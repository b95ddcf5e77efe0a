/**
 * The books of a shard: what came in, what became of it, and what is still on its way. Every
 * reading is in exactly one place, so
 * `received = stored + duplicate + dead-lettered + refused + spool + in flight` after each entry.
 *
 * The totals live in shared memory: when a Worker dies, the host still reads where every reading
 * stood and closes the books ({@linkcode closeBooks}).
 *
 * @module
 */
import { type Transport, transports } from "./intake.ts";

const cell = {
  stored: 0,
  duplicate: 1,
  deadLettered: 2,
  refused: 3,
  inFlight: 4,
  spool: 5,
  adopted: 6,
  received: 7,
} as const;
const cells = cell.received + transports.length;

/** Shared memory for one shard's totals. */
export function ledgerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(cells * Float64Array.BYTES_PER_ELEMENT);
}

/** The totals as plain data. */
export interface Books {
  readonly received: Readonly<Partial<Record<Transport, number>>>;
  readonly stored: number;
  readonly duplicate: number;
  readonly deadLettered: number;
  readonly refused: number;
  readonly inFlight: number;
  readonly spool: number;
  /** Readings that came with the spool and that an earlier shard's books have as received. */
  readonly adopted: number;
}

/** Written by one shard only; read by the host. */
export class Ledger {
  readonly #cells: Float64Array;
  readonly #deadLettered = new Map<string, number>();
  readonly #refused = new Map<string, number>();

  constructor(memory: SharedArrayBuffer = ledgerMemory()) {
    this.#cells = new Float64Array(memory).fill(0);
  }

  /** A reading reached its owner. */
  received(transportCode: number): void {
    this.#cells[cell.received + transportCode]! += 1;
    this.#cells[cell.inFlight]! += 1;
  }

  /** An edge turned a reading away before it had an owner. */
  refusedAtEdge(transportCode: number, reason: string): void {
    this.#cells[cell.received + transportCode]! += 1;
    this.#count(this.#refused, cell.refused, reason, 1);
  }

  refused(reason: string, count = 1): void {
    this.#cells[cell.inFlight]! -= count;
    this.#count(this.#refused, cell.refused, reason, count);
  }

  duplicate(): void {
    this.#cells[cell.inFlight]! -= 1;
    this.#cells[cell.duplicate]! += 1;
  }

  deadLettered(reason: string): void {
    this.#cells[cell.inFlight]! -= 1;
    this.#count(this.#deadLettered, cell.deadLettered, reason, 1);
  }

  /** A commit group is durable. */
  spooled(count: number): void {
    this.#cells[cell.inFlight]! -= count;
    this.#cells[cell.spool]! += count;
  }

  /** The store said yes. */
  stored(count: number): void {
    this.#cells[cell.spool]! -= count;
    this.#cells[cell.stored]! += count;
  }

  /** The store, or a limit of the spool, refused readings that were durable. */
  deadLetteredFromSpool(reason: string, count = 1): void {
    this.#cells[cell.spool]! -= count;
    this.#count(this.#deadLettered, cell.deadLettered, reason, count);
  }

  /** A policy chosen by name gave up readings of the spool. */
  refusedFromSpool(reason: string, count: number): void {
    this.#cells[cell.spool]! -= count;
    this.#count(this.#refused, cell.refused, reason, count);
  }

  /** Readings found in the spool at start, or dead letters that are tried again. */
  recovered(count: number): void {
    this.#cells[cell.received + transports.indexOf("recovery")]! += count;
    this.#cells[cell.spool]! += count;
  }

  /** As {@linkcode Ledger.recovered}, where the host already counts them as received. */
  adopted(count: number): void {
    this.#cells[cell.adopted]! += count;
    this.#cells[cell.spool]! += count;
  }

  get inFlight(): number {
    return this.#cells[cell.inFlight]!;
  }

  books(): Books {
    return readBooks(this.#cells);
  }

  reasons(): { deadLettered: Record<string, number>; refused: Record<string, number> } {
    return {
      deadLettered: Object.fromEntries(this.#deadLettered),
      refused: Object.fromEntries(this.#refused),
    };
  }

  #count(map: Map<string, number>, total: number, reason: string, count: number): void {
    map.set(reason, (map.get(reason) ?? 0) + count);
    this.#cells[total]! += count;
  }
}

/** Reads the totals, also those of a Worker that is no more. */
export function readBooks(memory: SharedArrayBuffer | Float64Array): Books {
  const values = memory instanceof Float64Array ? memory : new Float64Array(memory);
  return {
    received: Object.fromEntries(transports.map((name, i) => [name, values[cell.received + i]!])),
    stored: values[cell.stored]!,
    duplicate: values[cell.duplicate]!,
    deadLettered: values[cell.deadLettered]!,
    refused: values[cell.refused]!,
    inFlight: values[cell.inFlight]!,
    spool: values[cell.spool]!,
    adopted: values[cell.adopted]!,
  };
}

const receivedTotal = (books: Books): number =>
  Object.values(books.received).reduce((sum, n) => sum + n, 0);

/** What the law is off by; 0 when it holds. */
export function imbalance(books: Books): number {
  return receivedTotal(books) + books.adopted - books.stored - books.duplicate -
    books.deadLettered -
    books.refused - books.inFlight - books.spool;
}

/**
 * Closes the books of a shard that died, given how many readings its successor found in the spool.
 * Those go on in the successor's books. What had not become durable was never acknowledged: its
 * senders send it again, so here it is refused (reason `shard_lost`). Where the spool holds fewer
 * readings than the books said, the store had already taken the difference.
 */
export function closeBooks(last: Books, recovered: number): { books: Books; lost: number } {
  const open = receivedTotal(last) + last.adopted - last.stored - last.duplicate -
    last.deadLettered -
    last.refused;
  const storedMeanwhile = Math.max(0, last.spool - recovered);
  const lost = Math.max(0, open - recovered - storedMeanwhile);
  return {
    books: {
      ...last,
      stored: last.stored + storedMeanwhile,
      refused: last.refused + lost,
      inFlight: 0,
      spool: 0,
      received: open - recovered - storedMeanwhile < 0
        ? {
          ...last.received,
          recovery: (last.received.recovery ?? 0) + recovered + storedMeanwhile - open,
        }
        : last.received,
    },
    lost,
  };
}
