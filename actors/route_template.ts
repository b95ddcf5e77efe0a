/**
 * The two small languages of routes: the topic template, which takes a topic apart
 * (`v3/{app}@ttn/devices/{device}/up`), and the template, which puts names together
 * (`{station}.{metric}`).
 *
 * @module
 */

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** A piece of a template: text, or the name of a placeholder. */
type Piece = { readonly text: string } | { readonly name: string };

function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const addText = (text: string) => {
    if (/[{}]/.test(text)) {
      throw new SyntaxError(`"${source}": a brace that is not part of a {placeholder}`);
    }
    if (text !== "") pieces.push({ text });
  };
  for (const found of source.matchAll(placeholder)) {
    addText(source.slice(end, found.index));
    pieces.push({ name: found[1]! });
    end = found.index + found[0].length;
  }
  addText(source.slice(end));
  return pieces;
}

/** Text with `{placeholders}`. */
export class Template {
  readonly #pieces: readonly Piece[];

  /** @throws {SyntaxError} for a stray brace. */
  constructor(readonly source: string) {
    this.#pieces = piecesOf(source);
  }

  /** Names of the placeholders, in order. */
  get names(): string[] {
    return this.#pieces.flatMap((piece) => "name" in piece ? [piece.name] : []);
  }

  /** Puts the values in; a name without one stands for nothing. */
  expand(values: Readonly<Record<string, string>>): string {
    let text = "";
    for (const piece of this.#pieces) {
      text += "text" in piece
        ? piece.text
        : Object.hasOwn(values, piece.name)
        ? values[piece.name]
        : "";
    }
    return text;
  }

  /** The template before and after one placeholder, which it holds at most once. */
  split(name: string): readonly [before: Template, after: Template | undefined] {
    const mark = `{${name}}`;
    const at = this.source.indexOf(mark);
    if (at < 0) return [this, undefined];
    return [
      new Template(this.source.slice(0, at)),
      new Template(this.source.slice(at + mark.length)),
    ];
  }
}

/** One level of a topic template. */
interface Level {
  readonly prefix: string;
  readonly suffix: string;
  /** `undefined`: no placeholder, `prefix` is the level. */
  readonly name: string | undefined;
}

/**
 * Matches topics and names their parts. A level is text, `+`, `#` (last), or text around one
 * `{placeholder}`, which stands for at least one character.
 *
 * @example
 * ```ts
 * import { TopicTemplate } from "./route_template.ts";
 * import assert from "node:assert/strict";
 *
 * const topic = new TopicTemplate("v3/{app}@ttn/devices/{device}/up");
 * assert.equal(topic.filter, "v3/+/devices/+/up");
 * assert.deepEqual({ ...topic.match("v3/farm@ttn/devices/d1/up") }, { app: "farm", device: "d1" });
 * assert.equal(topic.match("v3/@ttn/devices/d1/up"), undefined);
 * ```
 */
export class TopicTemplate {
  /** The MQTT topic filter to subscribe to: takes every topic that matches, and maybe more. */
  readonly filter: string;
  readonly names: readonly string[];
  readonly #levels: readonly (Level | "+")[];
  readonly #open: boolean;

  /** @throws {SyntaxError} for what cannot be a topic filter, or two placeholders of one name. */
  constructor(readonly source: string) {
    if (source === "") throw new SyntaxError("a topic is at least one character");
    const texts = source.split("/");
    this.#open = texts.at(-1) === "#";
    if (this.#open) texts.pop();
    this.#levels = texts.map((text) => text === "+" ? "+" : this.#level(text));
    const filter = this.#levels.map((level) =>
      level === "+" || level.name !== undefined ? "+" : level.prefix
    );
    this.filter = [...filter, ...(this.#open ? ["#"] : [])].join("/");
    this.names = this.#levels.flatMap((level) =>
      level === "+" || level.name === undefined ? [] : [level.name]
    );
    if (new Set(this.names).size < this.names.length) {
      throw new SyntaxError(`"${source}": two placeholders of one name`);
    }
  }

  #level(text: string): Level {
    const pieces = piecesOf(text);
    const named = pieces.filter((piece) => "name" in piece);
    if (named.length > 1) throw new SyntaxError(`"${text}": one placeholder in a level, not more`);
    if (/[+#\0\n]/.test(text)) {
      throw new SyntaxError(`"${text}": + stands alone in its level, # alone at the end`);
    }
    const name = named[0]?.name;
    if (name === undefined) return { prefix: text, suffix: "", name };
    const at = text.indexOf(`{${name}}`);
    return { prefix: text.slice(0, at), suffix: text.slice(at + name.length + 2), name };
  }

  /** What the placeholders stand for, or `undefined` when the topic does not match. */
  match(topic: string): Readonly<Record<string, string>> | undefined {
    const texts = topic.split("/");
    const levels = this.#levels;
    if (this.#open ? texts.length < levels.length : texts.length !== levels.length) {
      return undefined;
    }
    // A filter that begins with a wildcard does not match topics that begin with $ [MQTT-4.7.2-1].
    const first = levels[0];
    if (topic.startsWith("$") && (typeof first !== "object" || !first.prefix.startsWith("$"))) {
      return undefined;
    }
    const values: Record<string, string> = Object.create(null);
    for (let i = 0; i < levels.length; i++) {
      const level = levels[i]!;
      const text = texts[i]!;
      if (level === "+") continue;
      if (level.name === undefined) {
        if (text !== level.prefix) return undefined;
        continue;
      }
      const { prefix, suffix } = level;
      if (
        text.length <= prefix.length + suffix.length || !text.startsWith(prefix) ||
        !text.endsWith(suffix)
      ) return undefined;
      values[level.name] = text.slice(prefix.length, text.length - suffix.length);
    }
    return values;
  }
}
