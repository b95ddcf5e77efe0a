/**
 * All of HTTP with curl: the lines of docs/http.md, each answer held to the OpenAPI document that
 * the service gives of itself. Fails when an operation of the document is not among them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Answered, documentChecker } from "../../gateways/http/testing/document_checker.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { adminPassword, login } from "../support/accounts.ts";
import { storedSeries } from "../support/input.ts";
import { assertConserved, settledBooks, startSluice, until } from "../support/sluice.ts";

interface Example {
  readonly line: string;
  readonly status: number;
  /** A stream is read until this event has come. */
  readonly until: string | undefined;
}

/** curl's exit code. */
const timedOut = 28;
const page = new URL("../../docs/http.md", import.meta.url);

/** The lines that call curl and say what is answered. */
async function examples(): Promise<Example[]> {
  return [
    ...(await Deno.readTextFile(page)).matchAll(
      /^((?:printf .* \| )?curl .*) # (\d{3})(?: until (\w+))?$/gm,
    ),
  ].map(([, line = "", status, until]) => ({ line, status: Number(status), until }));
}

/** What `curl -i` wrote: the last head, and the body. */
function answerOf(output: Uint8Array): Answered {
  const text = new TextDecoder("latin1").decode(output);
  const [, status, head = ""] =
    /^(?:HTTP\/1\.1 100 [^]*?\r\n\r\n)?HTTP\/1\.1 (\d{3})[^\r]*\r\n([^]*?)\r\n\r\n/
      .exec(text) ?? [];
  assert.ok(status !== undefined, `no answer of HTTP: ${text}`);
  const headers = new Headers();
  for (const line of head.split("\r\n")) {
    const at = line.indexOf(":");
    if (at > 0) headers.append(line.slice(0, at), line.slice(at + 1).trim());
  }
  const body = output.subarray(text.indexOf("\r\n\r\n", text.lastIndexOf(head)) + 4);
  return { status: Number(status), headers, body };
}

/** Runs a line; one that does not end by itself is ended when what it is read for has come. */
async function run(example: Example, env: Readonly<Record<string, string>>): Promise<Answered> {
  const curl = `${findProgram("curl")} -sS -i --max-time 20`;
  const line = example.line.replace(/(^|\| )curl /, `$1exec ${curl} `);
  const child = new Deno.Command("/bin/bash", {
    args: ["-c", line],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const enough = example.until && `event: ${example.until}\n`;
  let output = new Uint8Array(0);
  const reader = child.stdout.getReader();
  for (let ended = false;;) {
    const { value: chunk, done } = await reader.read();
    if (done) break;
    const before = output;
    output = new Uint8Array(before.length + chunk.length);
    output.set(before);
    output.set(chunk, before.length);
    const text = new TextDecoder().decode(output);
    if (!ended && enough !== undefined && text.includes(enough) && text.endsWith("\n")) {
      child.kill("SIGTERM");
      ended = true;
    }
  }
  const { code } = await child.status;
  // What begins with 101 does not end by itself: curl has had its time.
  const expected = example.status === 101 ? timedOut : 0;
  assert.ok(enough !== undefined || code === expected, `${example.line}: ${code} ${await errors}`);
  await errors;
  const answered = answerOf(output);
  // What follows is another protocol's.
  return example.status === 101 ? { ...answered, body: new Uint8Array(0) } : answered;
}

/** A line's operation, by the paths of the document. */
function operationOf(line: string, operations: readonly string[]): string {
  const given = /-X (\w+)/.exec(line)?.[1];
  const method = given ?? (/ (--json|-d|--data-binary) /.test(line) ? "POST" : "GET");
  const [, path = ""] = /\$URL(\/[^\s"?]*)/.exec(line) ?? [];
  const found = operations.filter((operation) => {
    const [verb, template = ""] = operation.split(" ");
    const form = template.replace(/[.]/g, "\\.").replace(/\{\w+\}/, ".+");
    return verb === method && new RegExp(`^${form}$`).test(path);
  });
  assert.equal(found.length, 1, `${line}: ${found}`);
  return found[0]!;
}

/** A station that is called `roof` and does what it is told. */
async function station(httpUrl: string): Promise<WebSocket> {
  const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
  const welcome = Promise.withResolvers<void>();
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", station: "roof" }));
  socket.onmessage = ({ data }) => {
    const { type, id } = JSON.parse(String(data));
    if (type === "welcome") welcome.resolve();
    if (type === "command") socket.send(JSON.stringify({ type: "result", id, result: "done" }));
  };
  await welcome.promise;
  return socket;
}

testWith(["curl"], "curl does all that the OpenAPI document lists, as it says", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const { httpUrl } = sluice;
  await until("ready", async () => {
    const answer = await fetch(`${httpUrl}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  });
  const document = await (await fetch(`${httpUrl}/api/openapi.json`)).json();
  const checker = documentChecker(document);
  const PASSWORD = await adminPassword(sluice);
  const env = { URL: httpUrl, PASSWORD, TOKEN: await login(httpUrl, "admin", PASSWORD) };
  const roof = await station(httpUrl);

  const called = new Set<string>();
  for (const example of await examples()) {
    const answered = await run(example, env);
    const text = new TextDecoder().decode(answered.body);
    assert.equal(answered.status, example.status, `${example.line}: ${text}`);
    if (/ -I /.test(example.line)) {
      const get = await run({ ...example, line: example.line.replace(" -I ", " ") }, env);
      const length = answered.headers.get("content-length");
      // What a file of the dashboard is long is known; of what is made for the answer it need not be.
      if (length !== null || example.line.includes("/page.js")) {
        assert.equal(length, String(get.body.length), example.line);
      }
      assert.equal(length, get.headers.get("content-length"));
    }
    if (/-I |-X OPTIONS/.test(example.line)) {
      assert.equal(text, "", example.line);
      continue;
    }
    const operation = operationOf(example.line, checker.operations);
    called.add(operation);
    checker.check(operation, answered);
  }
  assert.deepEqual(checker.operations.filter((one) => !called.has(one)), [], "never called");

  const closed = new Promise((resolve) => roof.onclose = resolve);
  roof.close();
  await closed;
  assertConserved(await settledBooks(httpUrl));
  const stored = await storedSeries(httpUrl);
  for (
    const series of [
      "UPB~RPi_1.BAT=99",
      "bus~7.lat=44.4",
      "line~air,room=7.temp=21.5",
      "weather~roof.temperature=21.5",
    ]
  ) assert.ok(stored.includes(series), `${series} is not among ${stored.join(" ")}`);
  const values = (device: string) => stored.filter((one) => one.startsWith(`${device}.value=`));
  assert.deepEqual(values("meter-1"), ["7", "8", "9"].map((n) => `meter-1.value=${n}`));
  assert.deepEqual(values("meter-2"), ["meter-2.value=1"]);
});
