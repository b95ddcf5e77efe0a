/**
 * Messages between actors: runs the runtime's own benches, which have nact and xstate beside it,
 * and turns their times into rates.
 *
 * @module
 */
import type { BenchOptions, Figure, Measure, Target } from "./measure.ts";

const files = ["runtime/tell_bench.ts", "runtime/port_bench.ts"] as const;
const root = new URL("../", import.meta.url).pathname;

/** Targets of the baseline of each group. */
const targets: Readonly<Record<string, Target>> = {
  tell: { atLeast: 10 },
  ask: { atLeast: 0.5 },
  workers: { atLeast: 2 },
};

async function run({ say }: BenchOptions): Promise<Figure[]> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["bench", "--json", "--no-prompt", "--allow-read", "--allow-env", ...files],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(output.stdout);
  if (!output.success) throw new Error(`deno bench failed: ${text}`);
  const parsed: unknown = JSON.parse(text.slice(text.indexOf("{")));
  const benches: unknown = Object(parsed).benches;
  if (!Array.isArray(benches)) throw new TypeError("deno bench --json gave no benches");
  return benches.map((bench: unknown): Figure => {
    const { group, name, baseline, results }: Record<string, unknown> = Object(bench);
    const [result]: readonly unknown[] = Array.isArray(results) ? results : [];
    const averageNs: unknown = Object(Object(result).ok).avg;
    // Each case is named for the messages of one iteration.
    const messages = /\d[\d,]*/.exec(String(name))?.[0].replaceAll(",", "");
    if (typeof averageNs !== "number" || messages === undefined) {
      throw new TypeError(`deno bench --json: cannot read ${JSON.stringify(bench)}`);
    }
    const rate = Number(messages) / averageNs * 1_000;
    const target = baseline === true ? targets[String(group)] : undefined;
    say(`${group}: ${name}: ${rate.toFixed(2)} M/s`);
    return {
      name: `${group}: ${name}`,
      value: rate,
      unit: "M/s",
      ...(target === undefined ? {} : { target }),
    };
  });
}

export const messaging: Measure = { name: "messaging", title: "messages between actors", run };
