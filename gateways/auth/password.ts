/**
 * Passwords: scrypt. Its parameters are stored with each hash, so that they can be raised without
 * touching what is there. Who derives the key is passed in: native_scrypt.ts in the service,
 * web_scrypt.ts where there are Web APIs only. Their hashes are the same.
 *
 * N = 2^14, r = 8, p = 5 takes 16 MiB and is one of the settings OWASP's Password Storage Cheat
 * Sheet calls equal to its first choice (N = 2^17, p = 1, 128 MiB), at an eighth of the memory:
 * many devices may log in at once.
 *
 * @module
 */

export interface ScryptParameters {
  /** log2 of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** Derives a key of {@linkcode digestBytes}. */
export type DeriveKey = (
  password: string,
  salt: Uint8Array,
  parameters: ScryptParameters,
) => Promise<Uint8Array>;

export const scryptDefault: ScryptParameters = { ln: 14, r: 8, p: 5 };

export const digestBytes = 32;
const saltBytes = 16;
/** What a hash may ask for: it comes from the database, and must not exhaust the process. */
export const memoryBytesMax = 256 * 1024 * 1024;
const rpMax = 64;
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
  return base64url(crypto.getRandomValues(new Uint8Array(24)));
}

/** Derives keys; counts, so that tests can see that equal work was done. */
export class PasswordHasher {
  readonly #deriveKey: DeriveKey;
  readonly #parameters: ScryptParameters;
  readonly #dummy: string;
  #derivations = 0;

  constructor(derive: DeriveKey, parameters: ScryptParameters = scryptDefault) {
    this.#deriveKey = derive;
    this.#parameters = parameters;
    this.#dummy = format(parameters, random(saltBytes), random(digestBytes));
  }

  /** How often scrypt has run. */
  get derivations(): number {
    return this.#derivations;
  }

  /** `$scrypt$ln=14,r=8,p=5$salt$digest`, after the PHC string format. */
  async hash(password: string): Promise<string> {
    const salt = random(saltBytes);
    return format(this.#parameters, salt, await this.#derive(password, salt, this.#parameters));
  }

  /**
   * Whether the password is the one of the hash. Without a hash, for an account that is not there,
   * the same work is done for nothing.
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const { parameters, salt, digest } = parse(hash ?? this.#dummy);
    const derived = await this.#derive(password, salt, parameters);
    return areEqual(derived, digest) && hash !== undefined;
  }

  #derive(password: string, salt: Uint8Array, of: ScryptParameters): Promise<Uint8Array> {
    this.#derivations++;
    return this.#deriveKey(password, salt, of);
  }
}

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/** Takes as long whatever differs: Web Crypto has no `timingSafeEqual`. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}

const base64url = (bytes: Uint8Array): string =>
  bytes.toBase64({ alphabet: "base64url", omitPadding: true });

function format({ ln, r, p }: ScryptParameters, salt: Uint8Array, digest: Uint8Array): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64url(salt)}$${base64url(digest)}`;
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
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (128 * r * 2 ** ln > memoryBytesMax || r * p > rpMax) {
    throw new RangeError(`Cannot check a password: its hash asks for ln=${ln}, r=${r}, p=${p}`);
  }
  const bytes = (text: string) => Uint8Array.fromBase64(text, { alphabet: "base64url" });
  return { parameters: { ln, r, p }, salt: bytes(match[4]!), digest: bytes(match[5]!) };
}
