/**
 * The spool as an actor: drives the commits of a {@linkcode Spool}. The writer's actor drives its
 * deliveries; both run in the shard's one thread and each call is one step.
 *
 * A crash of this actor is one of the shard: give it a supervisor that escalates. What was
 * acknowledged is on the disk, and the rest is sent again.
 *
 * @module
 */
import type { Actor, ActorRef, Context, StopReason } from "../../runtime/actor.ts";
import type { Spool } from "./spool.ts";

export type SpoolMessage =
  /** Something has gathered in the group, or in the second log. */
  | { readonly kind: "commit" }
  /** Nobody waits for what has gathered: more of it may join one commit. */
  | { readonly kind: "commit_soon" }
  | { readonly kind: "committed" }
  | { readonly kind: "commit_failed"; readonly cause: unknown }
  | { readonly kind: "retry" }
  | { readonly kind: "sweep" };

const commitMessage: SpoolMessage = { kind: "commit" };
const commitSoonMessage: SpoolMessage = { kind: "commit_soon" };
const sweepIntervalMs = 1_000;
/**
 * How long readings gather that nobody waits for. A sync costs a quarter of a millisecond of CPU,
 * however little there is to sync.
 */
const gatherMs = 50;

/** `now`: somebody waits for it. */
export type CommitTime = "now" | "soon";

/** Asks for a commit: one message for however many readings. */
export class CommitRequest {
  #asked: CommitTime | undefined;

  /** Call it whenever something was added; one that is not taken is asked again by the next. */
  ask(spool: ActorRef<SpoolMessage>, when: CommitTime = "now"): void {
    if (this.#asked === when || this.#asked === "now") return;
    const message = when === "now" ? commitMessage : commitSoonMessage;
    if (spool.tell(message) === "accepted") this.#asked = when;
  }

  /** The spool begins: what is added from now on needs a new request. */
  taken(): void {
    this.#asked = undefined;
  }
}

/** See the module. Told to stop, it first commits what has gathered. */
export class SpoolActor implements Actor<SpoolMessage> {
  readonly #spool: Spool;
  readonly #request: CommitRequest;
  #commit: Promise<void> | undefined;
  #waitsToRetry = false;
  /** Asked to commit what came while a commit was on its way. */
  #due = false;

  constructor(spool: Spool, request: CommitRequest) {
    this.#spool = spool;
    this.#request = request;
  }

  started(context: Context<SpoolMessage>): void {
    context.startTimer("sweep", sweepIntervalMs, { kind: "sweep" });
  }

  receive(message: SpoolMessage, context: Context<SpoolMessage>): void {
    switch (message.kind) {
      case "commit":
        this.#request.taken();
        this.#due = true;
        return this.#begin(context);
      case "commit_soon":
        return context.startTimer("gather", gatherMs, commitMessage);
      case "committed":
        this.#commit = undefined;
        this.#spool.end();
        if (this.#due) this.#begin(context);
        return;
      case "commit_failed":
        this.#commit = undefined;
        this.#waitsToRetry = true;
        return context.startTimer("retry", this.#spool.failed(message.cause), { kind: "retry" });
      case "retry":
        this.#waitsToRetry = false;
        this.#begin(context);
        this.#due = true; // What gathered meanwhile follows at once.
        return;
      case "sweep":
        this.#spool.sweep();
        if (this.#spool.carries) this.#begin(context);
        return context.startTimer("sweep", sweepIntervalMs, message);
      default:
        return message satisfies never;
    }
  }

  async stopped(reason: StopReason): Promise<void> {
    try {
      let commit = this.#commit ?? this.#spool.begin();
      while (commit !== undefined && reason !== "failed") {
        await commit;
        this.#spool.end();
        commit = this.#spool.begin();
      }
    } catch (cause) {
      this.#spool.failed(cause); // Not acknowledged: its senders send it again.
    }
    this.#spool.close();
  }

  #begin(context: Context<SpoolMessage>): void {
    if (this.#waitsToRetry || this.#commit !== undefined) return;
    this.#due = false;
    context.cancelTimer("gather");
    this.#request.taken();
    this.#commit = this.#spool.begin();
    if (this.#commit === undefined) return;
    context.pipe(
      this.#commit,
      () => ({ kind: "committed" }),
      (cause) => ({ kind: "commit_failed", cause }),
    );
  }
}
