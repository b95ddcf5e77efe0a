/**
 * How far a run is, on stderr: one line that is redrawn on a terminal, else a line now and then.
 *
 * @module
 */

/** Where progress goes. */
export interface ProgressOutput {
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

const redrawMs = 200;
const lineMs = 5_000;
const barCells = 24;

/** Draws at most as often as makes sense; calling it more often is cheap. */
export class Progress {
  readonly #output: ProgressOutput | undefined;
  #drawnMs = -Infinity;
  #drawn = false;

  /** Without an output nothing is drawn. */
  constructor(output: ProgressOutput | undefined) {
    this.#output = output;
  }

  /** `share` is how much is done, 0 to 1; `undefined` when nobody knows. */
  update(nowMs: number, share: number | undefined, text: () => string): void {
    const output = this.#output;
    if (output === undefined) return;
    if (nowMs - this.#drawnMs < (output.isTerminal ? redrawMs : lineMs)) return;
    this.#drawnMs = nowMs;
    this.#drawn = true;
    const line = `${bar(share)}${text()}`;
    output.write(output.isTerminal ? `\r\x1b[K${line.slice(0, output.columns - 1)}` : `${line}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn && this.#output?.isTerminal) this.#output.write("\r\x1b[K");
    this.#drawn = false;
  }
}

function bar(share: number | undefined): string {
  if (share === undefined) return "";
  const done = Math.round(Math.min(1, Math.max(0, share)) * barCells);
  const percent = String(Math.floor(Math.min(1, share) * 100)).padStart(3);
  return `${"█".repeat(done)}${"░".repeat(barCells - done)} ${percent} %  `;
}

/** The process's stderr. */
export function stderrOutput(): ProgressOutput {
  const utf8 = new TextEncoder();
  const isTerminal = Deno.stderr.isTerminal();
  return {
    isTerminal,
    columns: isTerminal ? Deno.consoleSize().columns : 80,
    write: (text) => {
      Deno.stderr.writeSync(utf8.encode(text));
    },
  };
}

/** 1234567 as `1,234,567`. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
