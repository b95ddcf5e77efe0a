/**
 * The devices that a search finds, page by page. The address has the search and the page, so that
 * it can be kept, sent, and gone back to.
 *
 * @module
 */
import { ask } from "./ask.js";
import { everyDevice, hashOf, pathOf, placeOf, viewOf } from "./device_view.js";
import { byId, cell, codeCell, element, keptRows, setText } from "./dom.js";
import { number, seen } from "./format.js";
import { firstReading } from "./hint.js";

/** Typing is over when nothing was typed for so long. */
const typedMs = 250;

let view = viewOf(location.hash);
/** Cursors of the pages before this one, the first page's first; `undefined`: not known. */
let trail = trailOf(history.state);
/** The cursor of the page behind this one. */
let following;
/** Called when others are to be shown. */
let changed = async () => {};

function trailOf(state) {
  if (view.cursor === "") return [];
  return Array.isArray(state?.trail) ? state.trail : undefined;
}

/** Until the answer is there nobody knows which page follows. */
function forgetFollowing() {
  following = undefined;
  allow("next-page", false);
}

/** Shows others: on a further entry of the history, or in place of this one. */
function look(to, pagesBefore, entry) {
  forgetFollowing();
  view = to;
  trail = pagesBefore;
  const hash = hashOf(view);
  // Never an empty address: that is this one.
  history[entry]({ trail }, "", hash === "" ? location.pathname : `#${hash}`);
  changed();
}

/** Asks for those that the address names; what is answered goes into `showDevices`. */
export async function askDevices() {
  const asked = view;
  try {
    return { asked, page: await ask(pathOf(asked)) };
  } catch (error) {
    // An address may have a cursor that is none.
    if (error.status !== 400 || asked.cursor === "" || asked !== view) throw error;
    look({ ...asked, cursor: "" }, [], "replaceState");
    return { asked };
  }
}

const presenceClass = { online: "good", silent: "warn", offline: "bad" };

function presenceOf({ presence, quarantined, limitedForMs }) {
  if (quarantined) return ["● quarantined", "bad"];
  if (limitedForMs > 0) return ["● held to its rate", "warn"];
  return [`● ${presence}`, presenceClass[presence]];
}

function valuesText(values) {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === "number" ? +value.toFixed(4) : value}`)
    .join(" · ");
}

const withoutZeros = (counters) =>
  Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0));

const deviceRow = ({ id }) =>
  element("tr", [codeCell(id), cell(""), cell(""), cell(""), cell("", "quiet"), cell("", "bad")]);

const showRows = keptRows(byId("devices"), deviceRow, ({ cells }, device) => {
  const { lastSeen, values, counters, lastError: error } = device;
  setText(cells[1], ...presenceOf(device));
  setText(cells[2], seen(lastSeen));
  setText(cells[3], valuesText(values));
  setText(cells[4], valuesText(withoutZeros(counters)));
  setText(cells[5], error ? `${seen(error.at)}, ${error.reason}: ${error.detail}` : "");
});

/** `aria-disabled` and not `disabled`, so that a button keeps the focus on the last page. */
function allow(id, may) {
  byId(id).setAttribute("aria-disabled", String(!may));
}

/** What `askDevices` answered, unless others were asked for since. */
export function showDevices({ asked, page }, status) {
  if (asked !== view || page === undefined) return;
  const { items, next } = page;
  following = next;
  showRows(items);
  const { id, presence, cursor } = view;
  const known = status.devices;
  const all = known.online + known.silent + known.offline;
  const isSearch = id !== "" || presence !== "";
  byId("pages").hidden = cursor === "" && next === undefined && !(isSearch && items.length > 0);
  allow("first-page", cursor !== "");
  allow("page-before", trail?.length > 0);
  allow("next-page", next !== undefined);
  const place = {
    count: items.length,
    isLast: next === undefined,
    pagesBefore: trail?.length,
    total: id !== "" ? undefined : presence === "" ? all : known[presence],
  };
  setText(byId("page-place"), items.length === 0 ? "" : placeOf(place));
  const { where, command } = firstReading(status, location.origin);
  setText(byId("devices-more"), items.length === 0 ? noneText(all, where) : "");
  setText(byId("first-reading"), all === 0 ? command : "");
}

function noneText(all, where) {
  if (all === 0) return `No device yet. Publish JSON, for example ${where}: `;
  if (view.cursor !== "") return "There are no more.";
  const hint = view.id.includes("/") ? " Ids have ~ where topics have a slash." : "";
  return `None of the ${number.format(all)} devices is like that.${hint}`;
}

let typing;

function showSearch() {
  clearTimeout(typing);
  byId("device-id").value = view.id;
  byId("presence").value = view.presence;
}

function search() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const to = {
      ...everyDevice,
      id: byId("device-id").value.trim(),
      presence: byId("presence").value,
    };
    // Who looks for the same again stays on the page.
    if (hashOf(to) !== hashOf({ ...view, cursor: "" })) look(to, [], "replaceState");
  }, typedMs);
}

const onPage = (id, go) =>
  byId(id).addEventListener("click", ({ currentTarget }) => {
    if (currentTarget.getAttribute("aria-disabled") !== "true") go();
  });

/** Listens to whoever searches and turns pages; `callback` is to ask anew. */
export function followSearch(callback) {
  changed = callback;
  showSearch();
  for (const id of ["device-id", "presence"]) byId(id).addEventListener("input", search);
  onPage("first-page", () => look({ ...view, cursor: "" }, [], "pushState"));
  onPage("page-before", () => {
    look({ ...view, cursor: trail.at(-1) }, trail.slice(0, -1), "pushState");
  });
  onPage("next-page", () => {
    look({ ...view, cursor: following }, trail && [...trail, view.cursor], "pushState");
  });
  addEventListener("popstate", ({ state }) => {
    forgetFollowing();
    view = viewOf(location.hash);
    trail = trailOf(state);
    showSearch();
    changed();
  });
}
