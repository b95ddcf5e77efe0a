import assert from "node:assert/strict";
import { claimAddresses, ListenError } from "./ports.ts";

const claimAddress = (text: string, option: string) => claimAddresses({ it: { text, option } }).it;

Deno.test("port 0 becomes a free port, and empty stays off", () => {
  assert.equal(claimAddress("", "mqtt.listen"), undefined);
  const claimed = claimAddress("127.0.0.1:0", "mqtt.listen");
  assert.ok(claimed !== undefined && claimed.port > 0);
});

Deno.test("all addresses are claimed by one spelling, others as they are written", () => {
  const cases = [
    ["0.0.0.0:0", "0.0.0.0"],
    ["0:0", "0.0.0.0"],
    ["[::]:0", "::"],
    ["[::0]:0", "::"],
    ["[0:0:0:0:0:0:0:0]:0", "::"],
    ["localhost:0", "localhost"],
  ] as const;
  for (const [text, hostname] of cases) {
    assert.equal(claimAddress(text, "mqtt.listen")?.hostname, hostname, text);
  }
});

Deno.test("a port that others share by SO_REUSEPORT is in use all the same", () => {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  assert.throws(
    () => claimAddress(`127.0.0.1:${other.addr.port}`, "mqtt.listen"),
    (error) => error instanceof ListenError && /port is in use.*mqtt\.listen/.test(error.message),
  );
  other.close();
});

Deno.test("addresses that are in each other's way are told by the later one's option", () => {
  const own = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  own.close();
  const { port } = own.addr;
  assert.throws(
    () =>
      claimAddresses({
        http: { text: `0.0.0.0:${port}`, option: "http.listen" },
        httpTls: { text: `127.0.0.1:${port}`, option: "http.tls.listen" },
      }),
    (error) => error instanceof ListenError && /set http\.tls\.listen to/.test(error.message),
  );
  const { a, b } = claimAddresses({
    a: { text: "127.0.0.1:0", option: "a" },
    b: { text: "127.0.0.1:0", option: "b" },
  });
  assert.notEqual(a?.port, b?.port);
  Deno.listen({ hostname: "0.0.0.0", port }).close(); // All were let go.
});
