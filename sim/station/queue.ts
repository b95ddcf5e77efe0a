/**
 * A station's own store: readings that are not acknowledged yet, on disk before they are sent. A
 * file of lines is appended to; what is acknowledged is noted there too, and when nothing is left,
 * or the notes outweigh the rest, the file is written anew beside the old one and put in its place.
 * A line that a kill cut short never was.
 *
 * @module
 */

/** A reading in the queue. Ids grow, also over restarts: none is ever used twice. */
export interface QueuedReading {
  readonly id: number;
  readonly payload: string;
}

const encoder = new TextEncoder();

/** See the module. Used by one process at a time. */
export class StationQueue {
  readonly #path: string;
  readonly #notesMax: number;
  readonly #waiting: Map<number, string>;
  #file: Deno.FsFile;
  #nextId: number;
  #notes = 0;

  private constructor(
    path: string,
    notesMax: number,
    waiting: Map<number, string>,
    nextId: number,
  ) {
    this.#path = path;
    this.#notesMax = notesMax;
    this.#waiting = waiting;
    this.#nextId = nextId;
    this.#file = this.#rewritten();
  }

  /** After `notesMax` acknowledgements the file is written anew. */
  static open(path: string, notesMax = 10_000): StationQueue {
    const { waiting, nextId } = read(path);
    return new StationQueue(path, notesMax, waiting, nextId);
  }

  /** Readings that wait to be acknowledged. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The id that the next reading gets. */
  get nextId(): number {
    return this.#nextId;
  }

  /** In the order in which they came. */
  waiting(): IterableIterator<[id: number, payload: string]> {
    return this.#waiting.entries();
  }

  payload(id: number): string | undefined {
    return this.#waiting.get(id);
  }

  /** Keeps a reading: once this returns it survives a kill and a power cut. */
  add(payload: string): QueuedReading {
    const id = this.#nextId++;
    this.#write(`+${id} ${payload}\n`);
    this.#file.syncDataSync();
    this.#waiting.set(id, payload);
    return { id, payload };
  }

  /** It is acknowledged. Should this note be lost, the reading is sent again, and known again. */
  remove(id: number): void {
    if (!this.#waiting.delete(id)) return;
    this.#write(`-${id}\n`);
    if (++this.#notes < this.#notesMax) return;
    this.#file.close();
    this.#file = this.#rewritten();
  }

  close(): void {
    this.#file.close();
  }

  #rewritten(): Deno.FsFile {
    const beside = `${this.#path}.new`;
    const file = Deno.openSync(beside, { write: true, create: true, truncate: true });
    this.#file = file;
    this.#write(`=${this.#nextId}\n`);
    for (const [id, payload] of this.#waiting) this.#write(`+${id} ${payload}\n`);
    file.syncSync();
    Deno.renameSync(beside, this.#path);
    this.#notes = 0;
    return file;
  }

  #write(text: string): void {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }
}

function read(path: string): { waiting: Map<number, string>; nextId: number } {
  const waiting = new Map<number, string>();
  let nextId = 1;
  let text = "";
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  const lines = text.split("\n");
  lines.pop(); // Without its newline it was cut short.
  for (const line of lines) {
    const [, kind, digits, payload = ""] = /^([=+-])(\d+)(?: (.*))?$/.exec(line) ?? [];
    const id = Number(digits);
    if (kind === "=") nextId = Math.max(nextId, id);
    else if (kind === "-") waiting.delete(id);
    else if (kind === "+") {
      waiting.set(id, payload);
      nextId = Math.max(nextId, id + 1);
    }
  }
  return { waiting, nextId };
}
