/**
 * Walks over the option table: every option with its key path and its environment variable.
 *
 * @module
 */
import type { Node, Option, Section } from "./option.ts";

/** An option in its place. */
export interface PlacedOption {
  /** For example `["mqtt", "tls", "listen"]`. */
  readonly path: readonly string[];
  readonly variable: string;
  readonly option: Option;
}

/** Every option, in the order of the table. */
export function* placedOptions(node: Node, path: readonly string[] = []): Iterable<PlacedOption> {
  if (node.kind === "option") {
    yield { path, variable: node.env ?? variableOf(path), option: node };
    return;
  }
  for (const [key, child] of Object.entries(node.keys)) {
    yield* placedOptions(child, [...path, key]);
  }
}

/** The node at a key path, or `undefined`. */
export function nodeAt(root: Section, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const key of path) {
    node = node?.kind === "section" && Object.hasOwn(node.keys, key) ? node.keys[key] : undefined;
  }
  return node;
}

/** `["spool", "bytesMax"]` → `SLUICE_SPOOL_BYTES_MAX`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `SLUICE_${words.join("_")}`;
}
