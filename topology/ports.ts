/**
 * Listening addresses before the shards open them. Every shard listens on the same port
 * (SO_REUSEPORT), and so would a second process without a word: here the port is first taken for
 * one alone, which fails when somebody else has it.
 *
 * @module
 */
import { type ListenAddress, parseListenAddress } from "../config/listen_address.ts";

/** A port that cannot be had. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** An address of the configuration, and the option it is from. */
export interface WantedAddress {
  readonly text: string;
  readonly option: string;
}

/**
 * Checks addresses of the configuration, also against each other, and resolves port 0 to a free
 * one. Empty: `undefined`.
 *
 * @throws {ListenError} with the option to change.
 */
export function claimAddresses<Name extends string>(
  wanted: Readonly<Record<Name, WantedAddress>>,
): Record<Name, ListenAddress | undefined>;
export function claimAddresses(
  wanted: Readonly<Record<string, WantedAddress>>,
): Record<string, ListenAddress | undefined> {
  // Each is held until the last is claimed: they may be in each other's way.
  const held: Deno.TcpListener[] = [];
  try {
    return Object.fromEntries(
      Object.entries(wanted).map(([name, { text, option }]) => [name, claim(text, option, held)]),
    );
  } finally {
    for (const listener of held) listener.close();
  }
}

function claim(text: string, option: string, held: Deno.TcpListener[]): ListenAddress | undefined {
  const address = text === "" ? undefined : parseListenAddress(text);
  if (address === undefined) return undefined;
  try {
    const listener = Deno.listen(address);
    held.push(listener);
    const { hostname, port } = listener.addr;
    // All addresses have one spelling from here on: `0` and `[0:0::0]` are read as them, too.
    return { hostname: isEverywhere(hostname) ? hostname : address.hostname, port };
  } catch (cause) {
    throw listenError(text, option, cause);
  }
}

const isEverywhere = (hostname: string): boolean => hostname === "0.0.0.0" || hostname === "::";

function listenError(text: string, option: string, cause: unknown): ListenError {
  const why = cause instanceof Deno.errors.AddrInUse
    ? "the port is in use"
    : cause instanceof Error
    ? cause.message
    : String(cause);
  return new ListenError(
    `Cannot listen on ${text}: ${why}. Stop what uses it, or set ${option} to another host:port`,
    { cause },
  );
}
