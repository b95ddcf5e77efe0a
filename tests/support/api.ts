/**
 * Sluice's HTTP API as the tests read it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Fields, isFields } from "../../runtime/fields.ts";
import { getText } from "./sluice.ts";

async function getJson(url: string): Promise<Fields> {
  const { ok, text } = await getText(url);
  const body: unknown = JSON.parse(text);
  assert.ok(ok && isFields(body), `${url}: ${text}`);
  return body;
}

/** One dead letter. */
export interface DeadLetter {
  readonly id: string;
  readonly topic: string;
  readonly reason: string;
  readonly detail: string;
  /** Absent when it is no text. */
  readonly payload: string | undefined;
}

function deadLetterOf(item: unknown): DeadLetter {
  assert.ok(isFields(item));
  const { id, topic, reason, detail, payload } = item;
  const text = (value: unknown): string => typeof value === "string" ? value : assert.fail();
  return {
    id: text(id),
    topic: text(topic),
    reason: text(reason),
    detail: text(detail),
    payload: payload === undefined ? undefined : text(payload),
  };
}

/** All dead letters, page by page. */
export async function deadLetters(httpUrl: string): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for (let cursor = "";;) {
    const page = await getJson(`${httpUrl}/api/dead-letters?limit=1000${cursor}`);
    assert.ok(Array.isArray(page.items));
    all.push(...page.items.map(deadLetterOf));
    if (page.next === undefined) return all;
    cursor = `&cursor=${encodeURIComponent(String(page.next))}`;
  }
}

/** The newest dead letters, the newest first. */
export async function newestDeadLetters(httpUrl: string, limit: number): Promise<DeadLetter[]> {
  const { items } = await getJson(`${httpUrl}/api/dead-letters?sort=desc&limit=${limit}`);
  assert.ok(Array.isArray(items));
  return items.map(deadLetterOf);
}

/** Tries dead letters again; gives how many have a new fate. */
export async function replayDeadLetters(
  httpUrl: string,
  choice: { readonly ids?: readonly string[]; readonly reason?: string },
): Promise<number> {
  const response = await fetch(`${httpUrl}/api/dead-letters/replay`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(choice),
  });
  const body: unknown = await response.json();
  assert.ok(response.ok && isFields(body), JSON.stringify(body));
  return Number(body.replayed);
}

/** An actor of the tree. */
export interface ActorNode {
  readonly path: string;
  readonly state: string;
  readonly restarts: number;
  readonly lastError: string | undefined;
  readonly children: readonly ActorNode[];
}

function actorOf(node: unknown): ActorNode {
  assert.ok(isFields(node) && Array.isArray(node.children));
  return {
    path: String(node.path),
    state: String(node.state),
    restarts: Number(node.restarts),
    lastError: isFields(node.lastError) ? String(node.lastError.message) : undefined,
    children: node.children.map(actorOf),
  };
}

/** All actors of the tree, parents first. */
export async function actors(httpUrl: string): Promise<ActorNode[]> {
  const flat = (node: ActorNode): ActorNode[] => [node, ...node.children.flatMap(flat)];
  return flat(actorOf(await getJson(`${httpUrl}/api/actors?children=1000`)));
}

/** What `/readyz` says. */
export async function readiness(httpUrl: string): Promise<{ ready: boolean; text: string }> {
  const { ok, text } = await getText(`${httpUrl}/readyz`);
  return { ready: ok, text };
}
