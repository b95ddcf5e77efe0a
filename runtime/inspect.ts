/**
 * The live tree of actors as plain data, for `GET /api/actors` and the metrics.
 *
 * @module
 */
import type { Cell, CellState } from "./cell.ts";
import type { Failure } from "./failure.ts";

/** One actor, and its children in start order. */
export interface ActorView {
  readonly id: string;
  readonly path: string;
  readonly kind: string;
  readonly state: CellState;
  readonly mailboxDepth: number;
  readonly mailboxLimit: number;
  /** Messages ever handed to the actor from its mailbox. */
  readonly handled: number;
  /** Times that it answered `full`. */
  readonly refused: number;
  readonly restarts: number;
  readonly lastError?: Failure;
  readonly children: readonly ActorView[];
  /** Children that `childrenMax` left out. */
  readonly childrenOmitted: number;
}

/** Sums over all actors of one kind. */
export interface KindSummary {
  readonly actors: number;
  readonly quarantined: number;
  readonly mailboxDepth: number;
}

type Sums = { -readonly [K in keyof KindSummary]: KindSummary[K] };

/**
 * The tree from `cell` down; of each actor's children at most `childrenMax` are listed, those that
 * failed before the others.
 */
export function viewOf(cell: Cell, childrenMax: number): ActorView {
  const children: Cell[] = [];
  const sound: Cell[] = [];
  for (const child of cell.children?.values() ?? []) {
    if (children.length === childrenMax) break;
    if (child.inspected?.failure !== undefined) children.push(child);
    else if (sound.length < childrenMax) sound.push(child);
  }
  children.push(...sound.slice(0, childrenMax - children.length));
  const failure = cell.inspected?.failure;
  return {
    id: cell.id,
    path: cell.path,
    kind: cell.settings.kind,
    state: cell.state,
    mailboxDepth: cell.mailbox.count,
    mailboxLimit: cell.settings.bounds.countMax,
    handled: cell.mailbox.taken,
    refused: cell.inspected?.refused ?? 0,
    restarts: cell.inspected?.restarts ?? 0,
    ...(failure === undefined ? {} : { lastError: failure }),
    children: children.map((child) => viewOf(child, childrenMax)),
    childrenOmitted: (cell.children?.size ?? 0) - children.length,
  };
}

/** Adds up `cell` and all below it, by kind. */
export function summarize(cell: Cell, into = new Map<string, Sums>()): Map<string, Sums> {
  const { kind } = cell.settings;
  let sums = into.get(kind);
  if (sums === undefined) into.set(kind, sums = { actors: 0, quarantined: 0, mailboxDepth: 0 });
  sums.actors++;
  sums.mailboxDepth += cell.mailbox.count;
  if (cell.state === "quarantined") sums.quarantined++;
  for (const child of cell.children?.values() ?? []) summarize(child, into);
  return into;
}
