/**
 * What a topic filter asks for, as MQTT writes it: `a/+/#`, or `$share/group/a/+/#`.
 *
 * @module
 */

/** A filter by its parts. */
export interface TopicFilter {
  /** The filter of topics. */
  readonly filter: string;
  /** The group that divides the messages (MQTT 5 §4.8.2); `undefined`: everyone gets all. */
  readonly group: string | undefined;
}

/** Longest filter, in UTF-16 units, and most levels by default: what one subscription may cost. */
const filterCharsMax = 1_024;
const filterLevelsMaxDefault = 64;

const share = "$share/";

/** `name` is valid (see `isTopicFilter`). */
export function parseFilter(name: string): TopicFilter {
  if (!name.startsWith(share)) return { filter: name, group: undefined };
  const end = name.indexOf("/", share.length);
  return { filter: name.slice(end + 1), group: name.slice(share.length, end) };
}

/** The other way round. */
export function filterName(filter: string, group: string): string {
  return `${share}${group}/${filter}`;
}

/** Whether the filter is small enough to be kept. */
export function isKeepable(name: string, levelsMax = filterLevelsMaxDefault): boolean {
  if (name.length > filterCharsMax) return false;
  let levels = 1;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) levels++;
  return levels <= levelsMax;
}

/** What every topic that the filter matches begins with. */
export function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[+#]/);
  if (wildcard < 0) return filter;
  // `a/#` matches `a` too.
  return filter.slice(0, wildcard).replace(/\/$/, "");
}
