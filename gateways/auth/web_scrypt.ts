/**
 * scrypt in JavaScript, by @noble/hashes, for where there are Web APIs only. It runs on the thread
 * of its caller and gives way to others every few ms; a derivation costs about a quarter more CPU
 * time than the native one, and only one at a time gets on.
 *
 * @module
 */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { digestBytes, memoryBytesMax, type ScryptParameters } from "./password.ts";

/** For how long others wait at most. */
const sliceMs = 10;

/** See the module. */
export function webScrypt(
  password: string,
  salt: Uint8Array,
  { ln, r, p }: ScryptParameters,
): Promise<Uint8Array> {
  const maxmem = memoryBytesMax + 1024 * 1024;
  return scryptAsync(password, salt, {
    N: 2 ** ln,
    r,
    p,
    dkLen: digestBytes,
    asyncTick: sliceMs,
    maxmem,
  });
}
