import assert from "node:assert/strict";
import { type IssueOptions, TestAuthority } from "../../testing/certificates.ts";
import { testWith } from "../../testing/programs.ts";
import { CertificateRefused } from "./certificate_refused.ts";
import { type CertificateRules, ClientCertificates } from "./client_certificates.ts";
import { pemBlocks } from "./pem.ts";

const dayMs = 86_400_000;

/** What `check` says of a certificate: its name, or why it is refused. */
function verdict(certificates: ClientCertificates, pem: string, nowMs: number): string {
  const [der] = pemBlocks(pem, "CERTIFICATE");
  assert.ok(der !== undefined);
  try {
    return certificates.check(der, nowMs).name;
  } catch (error) {
    if (error instanceof CertificateRefused) return `refused: ${error.message}`;
    throw error;
  }
}

/** What openssl is asked for, and what is to be said of it. */
const cases: Readonly<Record<string, readonly [IssueOptions, string]>> = {
  plain: [{}, "plain"],
  client: [{ extensions: ["extendedKeyUsage=clientAuth"], serial: "0xF0000000000000A1" }, "client"],
  any: [{ extensions: ["extendedKeyUsage=serverAuth,anyExtendedKeyUsage"] }, "any"],
  used: [{ extensions: ["keyUsage=critical,digitalSignature"] }, "used"],
  server: [{ extensions: ["extendedKeyUsage=serverAuth"] }, "refused: it is not for clients"],
  nobody: [{ subject: "/O=somebody" }, "refused: it has no commonName"],
  both: [{ subject: "/CN=one/CN=two" }, "refused: it has more than one commonName"],
  weak: [{ digest: "sha1" }, "refused: its signature 1.2.840.10045.4.1 is not taken"],
  odd: [
    { extensions: ["1.2.3.4=critical,ASN1:NULL"] },
    "refused: its extension 1.2.3.4 is not understood",
  ],
  short: [{ days: 1 }, "refused: it has expired"],
  authority: [
    { extensions: ["basicConstraints=critical,CA:TRUE"] },
    "refused: it is a CA's",
  ],
};

testWith(["openssl"], "which certificates are good, and whose they are", async () => {
  const directory = await Deno.makeTempDir();
  const read = (file: string): string => Deno.readTextFileSync(`${directory}/${file}`);
  const rulesOf = (rules: Partial<CertificateRules>): CertificateRules => ({
    authorities: read("ours.crt"),
    nameFrom: "commonName",
    ...rules,
  });
  try {
    const ours = await TestAuthority.make(directory, "ours");
    const theirs = await TestAuthority.make(directory, "theirs");
    const nowMs = Date.now() + 2 * dayMs;
    const certificates = new ClientCertificates(rulesOf({}));
    for (const [name, [options, expected]] of Object.entries(cases)) {
      await ours.issue(name, options);
      assert.equal(verdict(certificates, read(`${name}.crt`), nowMs), expected, name);
    }

    // Of others, in our name, or at another time.
    await theirs.issue("foreign", { subject: "/CN=plain" });
    const untrusted = "refused: no CA that is trusted issued it";
    assert.equal(verdict(certificates, read("foreign.crt"), nowMs), untrusted);
    assert.equal(verdict(certificates, read("ours.crt"), nowMs), "refused: it is a CA's");
    const plain = read("plain.crt");
    assert.equal(verdict(certificates, plain, nowMs - 3 * dayMs), "refused: it is not valid yet");
    assert.equal(verdict(certificates, plain, nowMs + 400 * dayMs), "refused: it has expired");
    assert.throws(() => certificates.check(new Uint8Array([0x30, 3, 1, 1]), nowMs), {
      message: "it cannot be read",
    });
    assert.throws(() => new ClientCertificates(rulesOf({ authorities: plain })), /not a CA's/);
    assert.throws(() => new ClientCertificates(rulesOf({ authorities: "" })), /Cannot find/);

    // Names beside the subject's.
    const extensions = ["subjectAltName=DNS:a.example,URI:urn:b,email:c@d.e,email:f@g.h"];
    await ours.issue("named", { extensions });
    const expected = {
      commonName: "named",
      dnsName: "a.example",
      uri: "urn:b",
      email: "refused: it has more than one email",
    } as const;
    for (const nameFrom of ["commonName", "dnsName", "uri", "email"] as const) {
      const by = new ClientCertificates(rulesOf({ nameFrom }));
      assert.equal(verdict(by, read("named.crt"), nowMs), expected[nameFrom]);
    }

    // Revocation: of two authorities, one has a list.
    await ours.revoke("client");
    await ours.list("ours.crl");
    const authorities = read("ours.crt") + read("theirs.crt");
    const listed = new ClientCertificates(rulesOf({ authorities, revoked: read("ours.crl") }));
    assert.equal(verdict(listed, plain, nowMs), "plain");
    assert.equal(verdict(listed, read("client.crt"), nowMs), "refused: it was revoked");
    const none = "refused: there is no revocation list of its CA";
    assert.equal(verdict(listed, read("foreign.crt"), nowMs), none);
    const outdated = "refused: the revocation list of its CA has expired";
    assert.equal(verdict(listed, plain, nowMs + 40 * dayMs), outdated);
    const [der] = pemBlocks(read("client.crt"), "CERTIFICATE");
    assert.ok(der !== undefined);
    assert.ok(listed.isRevoked(certificates.check(der, nowMs)));
    assert.ok(!certificates.isRevoked(certificates.check(der, nowMs)));
    const [whole] = pemBlocks(read("ours.crl"), "X509 CRL");
    assert.ok(whole !== undefined);
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length).toBase64();
      const revoked = `-----BEGIN X509 CRL-----\n${cut}\n-----END X509 CRL-----\n`;
      assert.throws(() => new ClientCertificates(rulesOf({ revoked })), TypeError);
    }
    await theirs.list("theirs.crl");
    assert.throws(
      () => new ClientCertificates(rulesOf({ revoked: read("theirs.crl") })),
      /no CA of the file signed it/,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
