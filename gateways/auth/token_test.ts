import assert from "node:assert/strict";
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { type Claims, signToken, tokenKey, verifyToken } from "./token.ts";
import { looksLikeToken, TokenGate } from "./token_gate.ts";

const key = await tokenKey("one key of at least thirty-two bytes");
const other = await tokenKey("another key of at least thirty-two bytes");
const nowMs = 1_800_000_000_000;
const claims: Claims = {
  name: "UPB/RPi_1",
  version: 3,
  issuedS: nowMs / 1000,
  expiresS: nowMs / 1000 + 600,
  permissions: { roles: ["device"], read: [], write: ["UPB/RPi_1"], devices: ["UPB/RPi_1"] },
};
const token = await signToken(claims, [key]);

const encode = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify(value))
    .toBase64({ alphabet: "base64url", omitPadding: true });
const [header64 = "", payload64 = "", signature64 = ""] = token.split(".");
const goodPayload: Record<string, unknown> = JSON.parse(
  new TextDecoder().decode(Uint8Array.fromBase64(payload64, { alphabet: "base64url" })),
);
const hmac = (text: string, secret: Uint8Array, hash = "sha256") =>
  createHmac(hash, secret).update(text).digest("base64url");
/** A token with this header and payload, signed as HS256 would with our own key. */
function forged(header: unknown, payload: unknown = goodPayload): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${hmac(text, key.secret)}`;
}
const good = { alg: "HS256", typ: "JWT", kid: key.kid };

Deno.test("a token says what was signed", async () => {
  assert.deepEqual(await verifyToken(token, [key], nowMs), claims);
  assert.deepEqual(await verifyToken(forged(good), [key], nowMs), claims);
  assert.ok(looksLikeToken(token));
  assert.ok(!looksLikeToken("a good password."));
});

Deno.test("two keys are valid at once; the first signs", async () => {
  assert.deepEqual(await verifyToken(token, [other, key], nowMs), claims);
  assert.equal(await verifyToken(token, [other], nowMs), "invalid");
  assert.deepEqual(
    await verifyToken(await signToken(claims, [other, key]), [other], nowMs),
    claims,
  );
  await assert.rejects(async () => await signToken(claims, []), RangeError);
});

Deno.test("expiry has a tolerance of 30 s", async () => {
  assert.deepEqual(await verifyToken(token, [key], nowMs + 629_000), claims);
  assert.equal(await verifyToken(token, [key], nowMs + 631_000), "expired");
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
function rs256(): string {
  const text = `${encode({ ...good, alg: "RS256" })}.${encode(goodPayload)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(rsa.privateKey, "base64url")}`;
}
function hs512(): string {
  const text = `${encode({ ...good, alg: "HS512" })}.${encode(goodPayload)}`;
  return `${text}.${hmac(text, key.secret, "sha512")}`;
}
const without = (name: string) =>
  Object.fromEntries(Object.entries(goodPayload).filter(([key]) => key !== name));

const attacks: Readonly<Record<string, () => string | Promise<string>>> = {
  "no signature": () => `${header64}.${payload64}.`,
  "no third part": () => `${header64}.${payload64}`,
  "alg none": () => new UnsecuredJWT(goodPayload).encode(),
  "alg none with the old signature": () =>
    `${encode({ ...good, alg: "none" })}.${payload64}.${signature64}`,
  "alg nOnE": () => forged({ ...good, alg: "nOnE" }),
  "another algorithm of the same family": hs512,
  "an asymmetric algorithm": rs256,
  "another payload under the signature": () =>
    `${header64}.${encode({ ...goodPayload, sub: "admin" })}.${signature64}`,
  "the key of somebody else": () =>
    new SignJWT(goodPayload).setProtectedHeader(good).sign(other.secret),
  "an empty key": () => {
    const text = `${header64}.${payload64}`;
    return `${text}.${hmac(text, new Uint8Array(1))}`;
  },
  "no kid": () => forged({ alg: "HS256", typ: "JWT" }),
  "a kid that is a path": () => forged({ ...good, kid: "../../dev/null" }),
  "a kid that is SQL": () => forged({ ...good, kid: "' UNION SELECT 'x" }),
  "a kid of the prototype": () => forged({ ...good, kid: "__proto__" }),
  "a key of its own": () => forged({ ...good, jwk: { kty: "oct", k: encode("x") } }),
  "a key from elsewhere": () => forged({ ...good, jku: "https://evil.example/jwks" }),
  "a certificate from elsewhere": () => forged({ ...good, x5u: "https://evil.example/c" }),
  "crit": () => forged({ ...good, crit: ["exp"] }),
  "b64": () => forged({ ...good, b64: false, crit: ["b64"] }),
  "another type": () => forged({ ...good, typ: "at+jwt" }),
  "another audience": () => forged(good, { ...goodPayload, aud: "other" }),
  "no audience": () => forged(good, without("aud")),
  "another issuer": () => forged(good, { ...goodPayload, iss: "other" }),
  "no expiry": () => forged(good, without("exp")),
  "an expiry as text": () => forged(good, { ...goodPayload, exp: "9999999999" }),
  "no iat": () => forged(good, without("iat")),
  "no name": () => forged(good, without("sub")),
  "a name that is no text": () => forged(good, { ...goodPayload, sub: { name: "a" } }),
  "no version": () => forged(good, without("ver")),
  "a role that is none": () => forged(good, { ...goodPayload, roles: ["root"] }),
  "not yet valid": () => forged(good, { ...goodPayload, nbf: nowMs / 1000 + 100 }),
  "a payload that is a list": () => forged(good, [goodPayload]),
  "an encrypted token": () => `${header64}.a.b.c.d`,
  "a token of a megabyte": () => `${header64}.${"A".repeat(1 << 20)}.${signature64}`,
  "nothing": () => "",
  "dots": () => "..",
};

for (const [name, make] of Object.entries(attacks)) {
  Deno.test(`token refused: ${name}`, async () => {
    assert.equal(await verifyToken(await make(), [key], nowMs), "invalid");
  });
}

Deno.test("every changed byte of a token is noticed", async () => {
  for (let i = 0; i < token.length; i += 7) {
    const changed = token[i] === "A" ? "B" : "A";
    const bad = token.slice(0, i) + changed + token.slice(i + 1);
    // The last character of the signature has bits that mean nothing.
    if (i === token.length - 1) continue;
    assert.equal(await verifyToken(bad, [key], nowMs), "invalid", `at ${i}`);
  }
});

Deno.test("the gate knows what has changed, and is shut until it does", async () => {
  const gate = new TokenGate();
  gate.setKeys([key]);
  assert.equal(await gate.admit(token, nowMs), "unavailable");
  gate.setOpen();
  assert.deepEqual(await gate.admit(token, nowMs), claims);
  gate.change([{ name: claims.name, version: 3 }, { name: "__proto__", version: 9 }]);
  assert.deepEqual(await gate.admit(token, nowMs), claims);
  gate.change([{ name: claims.name, version: 4 }]);
  assert.equal(await gate.admit(token, nowMs), "outdated");
  gate.change([{ name: claims.name, version: 2 }]); // late news
  assert.equal(await gate.admit(token, nowMs), "outdated");
  assert.equal(await gate.admit(token, nowMs + 10_000_000), "expired");
});
