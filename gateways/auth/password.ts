/**
 * Passwords: scrypt from node:crypto. Its parameters are stored with each hash, so that they can be
 * raised without touching what is there.
 *
 * N = 2^14, r = 8, p = 5 takes 16 MiB and is one of the settings OWASP's Password Storage Cheat
 * Sheet calls equal to its first choice (N = 2^17, p = 1, 128 MiB), at an eighth of the memory:
 * many devices may log in at once.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

export interface ScryptParameters {
  /** log2 of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export const scryptDefault: ScryptParameters = { ln: 14, r: 8, p: 5 };

const digestBytes = 32;
const saltBytes = 16;
/** What a hash may ask for: it comes from the database, and must not exhaust the process. */
const memoryBytesMax = 256 * 1024 * 1024;
/** Longer ones are refused before they are hashed. */
export const passwordBytesMax = 1024;
const passwordCharsMin = 12;

/** Why a text is no good as a password; `undefined` when it is. */
export function passwordProblem(password: string, name: string): string | undefined {
  if (new TextEncoder().encode(password).length > passwordBytesMax) {
    return `a password has at most ${passwordBytesMax} bytes`;
  }
  if ([...password].length < passwordCharsMin) {
    return `a password has at least ${passwordCharsMin} characters`;
  }
  const plain = password.toLowerCase();
  if (
    new Set(plain).size < 5 || plain.includes(name.toLowerCase()) ||
    /change.?me|placeholder|example|^password|^secret|^1234|^qwert/.test(plain)
  ) {
    return "that password is a placeholder or too easy to guess";
  }
  return undefined;
}

/** A password that nobody guesses: 24 random bytes. */
export function generatePassword(): string {
  return randomBytes(24).toString("base64url");
}

/** Derives keys; counts, so that tests can see that equal work was done. */
export class PasswordHasher {
  readonly #parameters: ScryptParameters;
  readonly #dummy: string;
  #derivations = 0;

  constructor(parameters: ScryptParameters = scryptDefault) {
    this.#parameters = parameters;
    this.#dummy = format(parameters, randomBytes(saltBytes), randomBytes(digestBytes));
  }

  /** How often scrypt has run. */
  get derivations(): number {
    return this.#derivations;
  }

  /** `$scrypt$ln=14,r=8,p=5$salt$digest`, after the PHC string format. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    return format(this.#parameters, salt, await this.#derive(password, salt, this.#parameters));
  }

  /**
   * Whether the password is the one of the hash. Without a hash, for an account that is not there,
   * the same work is done for nothing.
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const { parameters, salt, digest } = parse(hash ?? this.#dummy);
    const derived = await this.#derive(password, salt, parameters);
    const equal = derived.length === digest.length && timingSafeEqual(derived, digest);
    return equal && hash !== undefined;
  }

  #derive(password: string, salt: Uint8Array, { ln, r, p }: ScryptParameters): Promise<Uint8Array> {
    this.#derivations++;
    return new Promise((resolve, reject) =>
      scrypt(
        password,
        salt,
        digestBytes,
        { N: 2 ** ln, r, p, maxmem: memoryBytesMax },
        (error, key) => error === null ? resolve(key) : reject(error),
      )
    );
  }
}

function format({ ln, r, p }: ScryptParameters, salt: Uint8Array, digest: Uint8Array): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  return `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(digest)}`;
}

function parse(
  hash: string,
): {
  readonly parameters: ScryptParameters;
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
} {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(hash);
  if (match === null) throw new TypeError("Cannot read the hash of a password: wrong form");
  const [, ln, r, p, salt, digest] = match;
  return {
    parameters: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt!, "base64url"),
    digest: Buffer.from(digest!, "base64url"),
  };
}
