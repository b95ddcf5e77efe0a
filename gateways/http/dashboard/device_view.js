/**
 * Which devices are shown: a search and a page of what it finds, as it stands behind the `#` of the
 * page's address, and what the API is asked for it. Pure.
 *
 * @module
 */

export const devicesShown = 50;

const presences = ["online", "silent", "offline"];

/** All devices, from the first. `cursor` is the `next` of the page before, empty on the first. */
export const everyDevice = { id: "", presence: "", cursor: "" };

/** What an address asks for; of what is none of its words nothing. */
export function viewOf(hash) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const presence = words.get("presence") ?? "";
  return {
    id: words.get("id") ?? "",
    presence: presences.includes(presence) ? presence : "",
    cursor: words.get("cursor") ?? "",
  };
}

const filled = (words) =>
  new URLSearchParams(Object.entries(words).filter(([, word]) => word !== ""));

/** The view behind the `#`; empty for every device. */
export const hashOf = (view) => filled(view).toString();

/** Where the API has its devices. */
export const pathOf = ({ id, ...rest }) =>
  `/api/devices?${filled({ limit: String(devicesShown), contains: id, ...rest })}`;

/**
 * Where in the list a page stands.
 *
 * @param count how many devices are on it.
 * @param pagesBefore `undefined` when it was not reached from the first one.
 * @param total how many there are, where that is known.
 */
export function placeOf({ count, isLast, pagesBefore, total }) {
  const format = (n) => n.toLocaleString("en");
  if (pagesBefore === undefined) return `${isLast ? "the last " : ""}${format(count)} of them`;
  const first = pagesBefore * devicesShown + 1;
  const last = first + count - 1;
  const range = `${format(first)}–${format(last)}`;
  if (isLast) return `${range} of ${format(last)}`;
  return total !== undefined && total > last
    ? `${range} of ${format(total)}`
    : `${range} of more than ${format(last)}`;
}
