import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../actors/concat_bytes.ts";
import { type ProxiedClient, ProxyHeaderError } from "./proxy_header.ts";
import { readProxyHeader } from "./read_proxy_header.ts";

const signature = "\r\n\r\n\0\r\nQUIT\n";
const latin = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Version 2: command and family, then what follows. */
function binary(command: number, family: number, rest: readonly number[], length = rest.length) {
  return concatBytes([latin(signature), [command, family, length >> 8, length & 255], rest]);
}

const portsOf = (port: number): number[] => [port >> 8, port & 255, 7, 91];
const four = (octets: readonly number[], port: number): number[] => [
  ...octets,
  ...[127, 0, 0, 1],
  ...portsOf(port),
];
const six = (octets: readonly number[], port: number): number[] => [
  ...octets,
  ...Array<number>(16).fill(1),
  ...portsOf(port),
];

/** Gives its bytes in parts of these sizes, and tells what nobody read. */
class Trickle {
  #at = 0;
  #turn = 0;

  constructor(readonly bytes: Uint8Array, readonly sizes: readonly number[]) {}

  get rest(): Uint8Array {
    return this.bytes.subarray(this.#at);
  }

  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const size = this.sizes[this.#turn++ % this.sizes.length] ?? 1;
    const part = this.bytes.subarray(this.#at, this.#at + Math.min(size, into.length));
    this.#at += part.length;
    into.set(part);
    return Promise.resolve(part.length === 0 ? null : part.length);
  }
}

const good: Readonly<Record<string, readonly [Uint8Array, ProxiedClient | undefined]>> = {
  "1, IPv4": [
    latin("PROXY TCP4 192.0.2.9 10.0.0.1 56324 1883\r\n"),
    { address: "192.0.2.9", port: 56_324 },
  ],
  "1, the shortest": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"), { address: "1.1.1.1", port: 1 }],
  "1, IPv6": [
    latin("PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 65535 0\r\n"),
    { address: "2001:db8::1", port: 65_535 },
  ],
  "1, the longest": [
    latin(
      `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    ),
    { address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
  ],
  "1, unknown": [latin("PROXY UNKNOWN\r\n"), undefined],
  "1, unknown with more": [latin(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`), undefined],
  "2, IPv4": [binary(0x21, 0x11, four([192, 0, 2, 9], 8_000)), {
    address: "192.0.2.9",
    port: 8_000,
  }],
  "2, with more": [
    binary(0x21, 0x11, [...four([192, 0, 2, 9], 8_000), 4, 0, 2, 9, 9]),
    { address: "192.0.2.9", port: 8_000 },
  ],
  "2, IPv6": [
    binary(0x21, 0x21, six([0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1], 80)),
    { address: "2001:db8::1", port: 80 },
  ],
  "2, IPv4 as IPv6": [
    binary(0x21, 0x21, six([...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 9], 80)),
    { address: "192.0.2.9", port: 80 },
  ],
  "2, unspecified": [binary(0x21, 0x00, []), undefined],
  "2, a Unix socket": [binary(0x21, 0x31, Array<number>(216).fill(65)), undefined],
  "2, of the proxy itself": [binary(0x20, 0x00, []), undefined],
  "2, of the proxy itself, with addresses": [binary(0x20, 0x11, four([1, 2, 3, 4], 5)), undefined],
};

Deno.test("every header, split at every byte, is read to its end and no further", async () => {
  const behind = latin("\x10\x0cwhat the client says");
  for (const [name, [header, expected]] of Object.entries(good)) {
    for (let split = 1; split <= header.length; split++) {
      const source = new Trickle(concatBytes([header, behind]), [split, 1_000]);
      assert.deepEqual(await readProxyHeader(source), expected, name);
      assert.deepEqual(source.rest, behind, name);
    }
    for (let length = 0; length < header.length; length++) {
      const source = new Trickle(header.subarray(0, length), [7]);
      await assert.rejects(readProxyHeader(source), /the connection ended after/, name);
    }
  }
});

const bad: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "MQTT": [latin("\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0"), /no PROXY header/],
  "HTTP": [latin("GET / HTTP/1.1\r\n\r\n"), /no PROXY header/],
  "a lower case line": [latin("proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n"), /no PROXY header/],
  "no line end": [latin(`PROXY UNKNOWN ${"x".repeat(200)}`), /too long/],
  "a line of 108 bytes": [latin(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), /too long/],
  "a lone line feed": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\nPROXY"), /damaged/],
  "a carriage return alone": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rX12345"), /damaged/],
  "UDP": [latin("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"), /damaged/],
  "IPv6 called IPv4": [latin("PROXY TCP4 ::1 ::1 1 1 \r\n        "), /damaged/],
  "a zone": [latin("PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n"), /damaged/],
  "an octet too large": [latin("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n"), /damaged/],
  "a port too large": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n"), /damaged/],
  "a port with a zero": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"), /damaged/],
  "two spaces": [latin("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n"), /damaged/],
  "a field more": [latin("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"), /damaged/],
  "a control": [latin("PROXY TCP4 1.1.1.1\t1.1.1.1 1 1 1\r\n"), /damaged/],
  "half a signature": [latin("\r\n\r\n\0\r\nQUIX\n1234567"), /no PROXY header/],
  "version 3": [binary(0x31, 0x11, four([1, 1, 1, 1], 1)), /command 0x31/],
  "another command": [binary(0x22, 0x11, four([1, 1, 1, 1], 1)), /command 0x22/],
  "UDP in version 2": [binary(0x21, 0x12, four([1, 1, 1, 1], 1)), /family 0x12/],
  "another family": [binary(0x21, 0x41, four([1, 1, 1, 1], 1)), /family 0x41/],
  "too short for IPv4": [binary(0x21, 0x11, four([1, 1, 1, 1], 1).slice(1)), /shorter/],
  "too short for IPv6": [binary(0x21, 0x21, four([1, 1, 1, 1], 1)), /shorter/],
  "64 KiB": [binary(0x21, 0x11, [], 65_535), /too long: 65535/],
};

Deno.test("what is no header is refused, however it comes", async () => {
  for (const [name, [bytes, expected]] of Object.entries(bad)) {
    for (const size of [1, 5, 1_000]) {
      await assert.rejects(readProxyHeader(new Trickle(bytes, [size])), (error) => {
        assert.ok(error instanceof ProxyHeaderError, `${name}: ${error}`);
        assert.match(error.message, expected, name);
        return true;
      });
    }
  }
});

Deno.test("any client is told apart from what it says", async () => {
  const client = fc.record({
    octets: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    port: fc.nat(65_535),
    behind: fc.uint8Array({ maxLength: 40 }),
    sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
    asLine: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(client, async ({ octets, port, behind, sizes, asLine }) => {
      const address = octets.join(".");
      const header = asLine
        ? latin(`PROXY TCP4 ${address} 127.0.0.1 ${port} 1883\r\n`)
        : binary(0x21, 0x11, four([...octets], port));
      const source = new Trickle(concatBytes([header, behind]), sizes);
      assert.deepEqual(await readProxyHeader(source), { address, port });
      assert.deepEqual(Uint8Array.from(source.rest), Uint8Array.from(behind));
    }),
  );
});

Deno.test("headers that are nearly right end in an answer or an error, and take no more than they may", async () => {
  const headers = Object.values(good).map(([header]) => header);
  const change = fc.record({
    header: fc.constantFrom(...headers),
    at: fc.nat(300),
    byte: fc.nat(255),
    cut: fc.nat(300),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ header, at, byte, cut }) => {
      const changed = Uint8Array.from(header);
      changed[at % changed.length] = byte;
      const source = new Trickle(
        concatBytes([changed.subarray(0, 1 + cut % changed.length), new Uint8Array(10_000)]),
        [64],
      );
      await readProxyHeader(source).catch((error: unknown) => {
        if (!(error instanceof ProxyHeaderError)) throw error;
      });
      assert.ok(source.bytes.length - source.rest.length <= 16 + 4_096);
    }),
    { numRuns: 2_000 },
  );
});
