/**
 * One shard as the main thread sees it, over all incarnations of its Worker.
 *
 * @module
 */
import { AskError } from "../runtime/ask.ts";
import type { ActorView } from "../runtime/inspect.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { WorkerView } from "../runtime/worker_host.ts";
import { type ShardHandle, workerNode } from "./control_plane.ts";
import { CodeSuspects } from "./code_suspects.ts";
import { ShardBooks } from "./shard_books.ts";
import { controlName, parseReply, type ShardAsk, type ShardQuestion } from "./shard_protocol.ts";

const askDeadlineMs = 5_000;

export const shardId = (shard: number): string => `shard-${shard}`;

/** See the module. */
export class HostedShard implements ShardHandle {
  readonly id: string;
  readonly books = new ShardBooks();
  readonly suspects: CodeSuspects;
  readonly #link: () => Link | undefined;
  readonly #worker: () => WorkerView | undefined;

  constructor(
    readonly shard: number,
    id: string,
    link: () => Link | undefined,
    worker: () => WorkerView | undefined,
    suspects = new CodeSuspects(),
  ) {
    this.id = id;
    this.suspects = suspects;
    this.#link = link;
    this.#worker = worker;
  }

  get state(): string {
    return this.#worker()?.state ?? "not started";
  }

  get view(): ActorView {
    const worker = this.#worker();
    const node = workerNode(
      this.id,
      "shard",
      worker?.state === "ready" ? "running" : "waiting",
      worker?.restarts ?? 0,
    );
    return worker?.lastFailure === undefined ? node : { ...node, lastError: worker.lastFailure };
  }

  ask(question: ShardQuestion, deadlineMs = askDeadlineMs): Promise<unknown> {
    const link = this.#link();
    if (link === undefined) {
      return Promise.reject(new AskError("stopped", `shard ${this.shard} is ${this.state}`));
    }
    return link.ask(
      link.ref<ShardAsk>(controlName),
      (replyTo) => ({ question, replyTo }),
      { deadlineMs, parse: parseReply },
    );
  }
}
