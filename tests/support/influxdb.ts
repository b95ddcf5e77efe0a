/**
 * InfluxDB 1 as a test speaks to it beside Sluice.
 *
 * @module
 */
import assert from "node:assert/strict";

async function answered(response: Response): Promise<string> {
  const text = await response.text();
  assert.ok(response.ok, `${response.status} ${text}`);
  return text;
}

/** Runs one statement; gives the answer's JSON as text. */
export function influxQuery(url: string, statement: string, database = "sluice"): Promise<string> {
  const body = new URLSearchParams({ q: statement, db: database });
  return fetch(`${url}/query`, { method: "POST", body }).then(answered);
}

/** Writes lines as they are. */
export async function influxWrite(url: string, lines: string, database = "sluice"): Promise<void> {
  await answered(await fetch(`${url}/write?db=${database}`, { method: "POST", body: lines }));
}
