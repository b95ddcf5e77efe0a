/**
 * A child spec, checked and completed with its defaults: made once, shared by every actor of it.
 *
 * @module
 */
import type { ActorFactory, ChildSpec, RestartType, SupervisionSpec } from "./actor.ts";
import { type MailboxBounds, mailboxBounds } from "./mailbox.ts";
import { checkSupervision, supervisionDefault } from "./supervisor.ts";

/** What a cell needs to know of its spec. The message type ends here: a cell carries `unknown`. */
export interface CellSettings {
  readonly kind: string;
  readonly start: ActorFactory<unknown>;
  readonly restart: RestartType;
  readonly shutdownMs: number;
  readonly bounds: MailboxBounds;
  readonly mailOnCrash: "redeliver" | "dead_letter";
  readonly redeliveriesMax: number;
  readonly supervision: SupervisionSpec;
  readonly stashMax: number;
  /** Children of one kind that do not know each other may stop together. */
  readonly stopChildren: "reverse" | "together";
  /** One that stops itself is passivated: it is made again by the next message. */
  readonly passivates: boolean;
}

const mailboxDefault = { countMax: 1_000 };

/** Throws a `RangeError` that names the child and the bad value. */
export function cellSettings<M>(
  spec: Omit<ChildSpec<M>, "id"> & { readonly kind: string },
  options: Partial<Pick<CellSettings, "stopChildren" | "passivates">> = {},
): CellSettings {
  const { shutdownMs = 5_000, redeliveriesMax = 0, stashMax = 100 } = spec;
  const supervision = spec.supervision ?? supervisionDefault;
  checkSupervision(supervision);
  for (const [name, value] of Object.entries({ shutdownMs, redeliveriesMax, stashMax })) {
    if (!(value >= 0)) {
      throw new RangeError(`Cannot use the spec ${spec.kind}: ${name} ${value} is below 0`);
    }
  }
  return {
    kind: spec.kind,
    // The one place where M is forgotten: typed refs make sure that only M comes in.
    start: spec.start as ActorFactory<unknown>,
    restart: spec.restart ?? "permanent",
    shutdownMs,
    bounds: mailboxBounds(spec.mailbox ?? mailboxDefault),
    mailOnCrash: spec.mailOnCrash ?? "redeliver",
    redeliveriesMax,
    supervision,
    stashMax,
    stopChildren: options.stopChildren ?? "reverse",
    passivates: options.passivates ?? false,
  };
}

const known = new WeakMap<object, CellSettings>();

/** Those of a spec, whoever starts a child by it: checked at the first. */
export function childSettings<M>(spec: ChildSpec<M>): CellSettings {
  let settings = known.get(spec);
  if (settings === undefined) {
    settings = cellSettings({ ...spec, kind: spec.kind ?? spec.id });
    known.set(spec, settings);
  }
  return settings;
}

/** An id as one step of a path: `~` and `/` are written `~0` and `~1`, as in RFC 6901. */
export function pathStep(id: string): string {
  return id.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The ids of a path. */
export function pathIds(path: string): string[] {
  return path.split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
