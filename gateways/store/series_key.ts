/**
 * The names in line protocol: what measurement, tags and metric a series has.
 *
 * @module
 */

/** A series as people and queries name it. */
export interface SeriesNames {
  readonly measurement: string;
  /** In the order of the line. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Takes `measurement,tag=value,…` apart. Tags without a value are left out. */
export function seriesNames(key: string): SeriesNames {
  const [measurement, ...pairs] = splitUnescaped(key, ",");
  const tags = pairs.map((pair) => splitUnescaped(pair, "=").map(unescapeTag))
    .filter(([name, value]) => name !== undefined && value !== undefined);
  return { measurement: unescapeMeasurement(measurement ?? ""), tags: Object.fromEntries(tags) };
}

/**
 * The metric that a field is, in the API: the field's own name. Where routes write one series per
 * metric, with the metric in the measurement and a field called `value` (`RPi_1.BAT value=99`),
 * it is the end of the measurement: what follows the tag `station`, or else the last dot.
 */
export function metricName({ measurement, tags }: SeriesNames, field: string): string {
  if (field !== "value") return field;
  const station = tags["station"];
  if (station !== undefined && measurement.startsWith(`${station}.`)) {
    return measurement.slice(station.length + 1);
  }
  const dot = measurement.lastIndexOf(".");
  return dot < 0 ? field : measurement.slice(dot + 1);
}

/** The name of a field as it was before `actors/line_protocol.ts` escaped it. */
export function unescapeField(name: string): string {
  return unescapeIn(name, /(\\+)([,= "])/g);
}

function unescapeTag(name: string): string {
  return unescapeIn(name, /(\\+)([,= ])/g);
}

function unescapeMeasurement(name: string): string {
  return unescapeIn(name.replace(/^\\#/, "#"), /(\\+)([, ])/g);
}

/** A run of backslashes before a special was doubled, and one put after it. */
function unescapeIn(name: string, pattern: RegExp): string {
  return name.replace(
    pattern,
    (_, slashes: string, special: string) => "\\".repeat(slashes.length >> 1) + special,
  );
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0, slashes = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === separator && slashes % 2 === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
    slashes = char === "\\" ? slashes + 1 : 0;
  }
  parts.push(text.slice(start));
  return parts;
}
