import assert from "node:assert/strict";
import { TestAuthority } from "../../testing/certificates.ts";
import { testWith } from "../../testing/programs.ts";
import { serverCertificate } from "./server_certificate.ts";

testWith(["openssl"], "a pair that cannot serve is told from one that can", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const authority = await TestAuthority.make(directory, "ours");
    await authority.issue("one");
    await authority.issue("other");
    const read = (file: string): string => Deno.readTextFileSync(`${directory}/${file}`);
    const [cert, key] = [read("one.crt"), read("one.key")];

    assert.equal(serverCertificate({ cert, key }).subject, "CN=one");
    serverCertificate({ cert: cert + read("ours.crt"), key });
    const cases: [string, string, RegExp][] = [
      [cert, read("other.key"), /its private key is not the certificate's/],
      [read("ours.crt") + cert, key, /its private key is not the certificate's/],
      ["", key, /it holds no certificate chain/],
      ["garbage", key, /it holds no certificate chain/],
      [key, key, /it holds no certificate chain/],
      [cert.slice(0, -40), key, /it holds no certificate chain/],
      [cert.replace(/\n[^-\n]{8}/, "\nAAAAAAAA"), key, /it holds no certificate chain/],
      [cert, "", /it holds no private key/],
      [cert, cert, /it holds no private key/],
      [cert, key.slice(0, 80), /it holds no private key/],
    ];
    for (const [badCert, badKey, message] of cases) {
      assert.throws(() => serverCertificate({ cert: badCert, key: badKey }), { message });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
