/**
 * The supervision tree.
 *
 * @module
 */
import { byId, element } from "./dom.js";
import { number } from "./format.js";

/** Actors with more children than this are shown closed, unless one of them needs a look. */
const childrenOpen = 10;
/** Paths of the closed ones that were opened, and the other way round. */
const toggled = new Set();

const needsALook = ({ state, restarts, lastError, children }) =>
  state !== "running" || restarts > 0 || lastError !== undefined || children.some(needsALook);

/** A path's steps hide slashes as `~1`. */
const nameOf = ({ path }) => path.split("/").at(-1).replaceAll("~1", "/").replaceAll("~0", "~");

function actorItem(actor) {
  const parts = [`${nameOf(actor)} `];
  parts.push(element("span", actor.state, actor.state === "running" ? "good" : "bad"));
  if (actor.mailboxLimit > 0) {
    const limit = number.format(actor.mailboxLimit);
    parts.push(element("span", ` mailbox ${actor.mailboxDepth}/${limit}`, "quiet"));
  }
  if (actor.restarts > 0) parts.push(element("span", ` restarts ${actor.restarts}`, "warn"));
  if (actor.lastError !== undefined) {
    parts.push(element("span", ` ${actor.lastError.name}: ${actor.lastError.message}`, "bad"));
  }
  const below = actor.children.map(actorItem);
  if (actor.childrenOmitted > 0) {
    below.push(element("li", `and ${number.format(actor.childrenOmitted)} more`, "quiet"));
  }
  if (below.length === 0) return element("li", parts);
  if (below.length <= childrenOpen) return element("li", [...parts, element("ul", below)]);
  const count = actor.children.length + actor.childrenOmitted;
  parts.push(element("span", ` ${number.format(count)} below`, "quiet"));
  const details = element("details", [element("summary", parts), element("ul", below)]);
  details.dataset.path = actor.path;
  const atFirst = actor.children.some(needsALook);
  details.open = atFirst !== toggled.has(actor.path);
  // Clicks, and not the toggle event: that comes for what is set here, too.
  details.firstChild.addEventListener("click", () => {
    if (!toggled.delete(actor.path)) toggled.add(actor.path);
  });
  return element("li", [details]);
}

export function showActors(tree) {
  const focused = document.activeElement.closest("#actors details")?.dataset.path;
  byId("actors").replaceChildren(actorItem(tree));
  if (focused === undefined) return;
  const again = byId("actors").querySelector(`[data-path="${CSS.escape(focused)}"] > summary`);
  again?.focus({ preventScroll: true });
}
