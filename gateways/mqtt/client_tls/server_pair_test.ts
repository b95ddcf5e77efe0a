import assert from "node:assert/strict";
import { TestAuthority } from "../../testing/certificates.ts";
import { testWith } from "../../testing/programs.ts";
import { checkServerPair } from "./server_pair.ts";

testWith(["openssl"], "a pair that cannot serve is told from one that can", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const authority = await TestAuthority.make(directory, "ours");
    await authority.issue("one");
    await authority.issue("other");
    const read = (file: string): string => Deno.readTextFileSync(`${directory}/${file}`);
    const [cert, key] = [read("one.crt"), read("one.key")];

    checkServerPair(cert, key);
    checkServerPair(cert + read("ours.crt"), key);
    const cases: [string, string, RegExp][] = [
      [cert, read("other.key"), /the private key is not that of the certificate/],
      [read("ours.crt") + cert, key, /the private key is not that of the certificate/],
      ["", key, /the certificate cannot be read/],
      ["garbage", key, /the certificate cannot be read/],
      [key, key, /the certificate cannot be read/],
      [cert.slice(0, -40), key, /the certificate cannot be read/],
      [cert.replace(/\n[^-\n]{8}/, "\nAAAAAAAA"), key, /the certificate cannot be read/],
      [cert, "", /the private key cannot be read/],
      [cert, cert, /the private key cannot be read/],
      [cert, key.slice(0, 80), /the private key cannot be read/],
    ];
    for (const [badCert, badKey, message] of cases) {
      assert.throws(() => checkServerPair(badCert, badKey), { message });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
