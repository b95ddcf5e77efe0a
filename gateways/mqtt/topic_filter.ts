/**
 * The rules of topic filters (MQTT 5 §4.7): which texts are one, which topics one matches, and which
 * others it covers. A shared subscription has one behind its group.
 *
 * @module
 */

/** Whether `+` and `#` stand alone in their levels, and `#` last [MQTT-4.7.1-1], [MQTT-4.7.1-2]. */
export function isFilter(text: string): boolean {
  return text !== "" &&
    text.split("/").every((level, i, levels) =>
      level === "+" || (level === "#" && i === levels.length - 1) || !/[+#]/.test(level)
    );
}

/** Whether a filter matches a topic name; `#` and `+` do not match `$…` [MQTT-4.7.2-1]. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return true; // `a/#` matches `a` too.
    if (i >= levels.length || (level !== "+" && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether `wide` matches every topic that `narrow` matches. */
export function filterCovers(wide: string, narrow: string): boolean {
  if (narrow.startsWith("$") && !wide.startsWith("$")) return false;
  const wideLevels = wide.split("/");
  const narrowLevels = narrow.split("/");
  for (const [i, level] of wideLevels.entries()) {
    if (level === "#") return true;
    const other = narrowLevels[i];
    if (other === undefined || other === "#") return false;
    if (level !== "+" && level !== other) return false;
  }
  return wideLevels.length === narrowLevels.length;
}
