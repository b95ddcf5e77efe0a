/**
 * scrypt of node:crypto: native, on threads of its own.
 *
 * @module
 */
import { scrypt } from "node:crypto";
import { digestBytes, memoryBytesMax, type ScryptParameters } from "./password.ts";

/** See the module. */
export function nativeScrypt(
  password: string,
  salt: Uint8Array,
  { ln, r, p }: ScryptParameters,
): Promise<Uint8Array> {
  const cost = { N: 2 ** ln, r, p, maxmem: memoryBytesMax + 1024 * 1024 };
  return new Promise((resolve, reject) =>
    scrypt(
      password,
      salt,
      digestBytes,
      cost,
      (error, key) => error === null ? resolve(key) : reject(error),
    )
  );
}
