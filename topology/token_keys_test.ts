import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { tokenKeys } from "./token_keys.ts";

const { config } = await parseConfig({});

async function withFile(check: (file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await check(`${directory}/jwt_key`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a key is generated once, for its owner alone, and differs from others", () =>
  withFile(async (file) => {
    const first = await tokenKeys(config, file);
    assert.equal(first.length, 1);
    assert.equal(first[0]?.secret.length, 64);
    assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual(await tokenKeys(config, file), first);
    await Deno.remove(file);
    assert.notDeepEqual(await tokenKeys(config, file), first);
  }));

Deno.test("two lines are two keys: the first signs", () =>
  withFile(async (file) => {
    const old = await tokenKeys(config, file);
    await Deno.writeTextFile(file, `${"n3w".repeat(16)}\n${await Deno.readTextFile(file)}`);
    const keys = await tokenKeys(config, file);
    assert.equal(keys.length, 2);
    assert.deepEqual(keys[1], old[0]);
    assert.notEqual(keys[0]?.kid, keys[1]?.kid);
  }));

Deno.test("a file that holds no key, a short one or three is refused, and not replaced", () =>
  withFile(async (file) => {
    for (const text of ["", "short\n", `${"a".repeat(40)}\n`.repeat(3)]) {
      await Deno.writeTextFile(file, text);
      await assert.rejects(
        tokenKeys(config, file),
        /Cannot use the data directory: .*jwt_key must/,
      );
      assert.equal(await Deno.readTextFile(file), text);
    }
  }));

Deno.test("keys of the configuration leave no file", () =>
  withFile(async (file) => {
    const secret = "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41";
    const previousSecret = "Xp2Lr8VtYq5Wn1Zk7Jm4Hs9Dg6Fb3Ca0";
    const { config } = await parseConfig({ jwt: { secret, previousSecret } });
    const keys = await tokenKeys(config, file);
    assert.deepEqual(keys.map(({ secret }) => new TextDecoder().decode(secret)), [
      secret,
      previousSecret,
    ]);
    assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
  }));
