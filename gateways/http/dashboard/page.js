/**
 * The dashboard: asks the API every two seconds and shows what it says. All that comes from outside
 * is set as text, never as markup.
 */

const refreshMs = 2_000;
const samplesMax = 60;
const devicesShown = 50;
const lettersShown = 10;
const refusedShown = 10;

/** Received and stored totals over time, for the rates. */
const samples = [];

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** An element with text or children; a class when given. */
function element(tag, content, className) {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

const cell = (content, className) => element("td", content, className);
const codeCell = (text) => cell([element("code", text)]);

/** Fills a table with a row an item, of the cells that `cellsOf` makes, and says `more` below it. */
function showTable(id, items, cellsOf, more) {
  byId(id).replaceChildren(...items.map((item) => element("tr", cellsOf(item))));
  byId(`${id}-more`).textContent = more;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json();
  if (answer.ok) return body;
  const error = new Error(body.detail ?? `${path} answered ${answer.status}`);
  error.status = answer.status;
  error.isBan = body.type === "urn:sluice:problem:banned";
  throw error;
}

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${count.toFixed(unit === 0 || count >= 100 ? 0 : 1)} ${units[unit]}`;
}

function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** A device of which no reading could be taken has the beginning of all time. */
function seen(time) {
  const ms = Date.parse(time);
  return ms === 0 ? "never" : `${ago(Date.now() - ms)} ago`;
}

/** Rate between the last two samples, 0 when a restart set the totals back. */
function rate(key) {
  const [last, before] = [samples.at(-1), samples.at(-2)];
  if (before === undefined) return 0;
  return Math.max(0, (last[key] - before[key]) / ((last.at - before.at) / 1000));
}

function showStatus(status) {
  const { readings, devices } = status;
  samples.push({ at: Date.now(), received: readings.received, stored: readings.stored });
  if (samples.length > samplesMax) samples.shift();

  const ready = status.notReady.length === 0;
  byId("ready").textContent = ready ? "ready" : "not ready";
  byId("ready").className = `pill ${ready ? "good" : "bad"}`;
  byId("reasons").hidden = ready;
  byId("reasons").textContent = status.notReady.join(" · ");

  const facts = [
    ["gateway", status.gateway],
    ["store", status.store],
    ["shards", status.shards],
    ["up", ago(Date.parse(status.now) - Date.parse(status.started))],
    ["version", status.version],
  ];
  byId("service").replaceChildren(
    ...facts.map(([name, value]) => element("div", [element("dt", name), element("dd", value)])),
  );

  const tiles = [
    ["received a second", number.format(rate("received"))],
    ["stored a second", number.format(rate("stored"))],
    ["stored in all", short.format(readings.stored), number.format(readings.stored)],
    ["in flight", number.format(readings.inFlight)],
    [`in the spool, ${bytes(status.spoolBytes)}`, number.format(readings.spool)],
    [
      "new dead letters",
      number.format(readings.deadLettered),
      undefined,
      readings.deadLettered > 0,
    ],
    ["duplicates", number.format(readings.duplicate)],
    ["refused", number.format(readings.refused), undefined, readings.refused > 0],
    ["connections", number.format(status.sessions)],
    ["devices online", number.format(devices.online)],
    [
      "devices silent, offline",
      `${number.format(devices.silent)}, ${number.format(devices.offline)}`,
      undefined,
      devices.offline > 0,
    ],
    ["restarts of actors", number.format(status.restarts), undefined, status.restarts > 0],
  ];
  byId("tiles").replaceChildren(...tiles.map(([name, value, title, warn]) => {
    const tile = element("div", [element("b", value), element("span", name)], "tile");
    if (title !== undefined) tile.title = title;
    if (warn) tile.firstChild.className = "warn";
    return tile;
  }));
  showRates();
}

function showRates() {
  const rates = samples.slice(1).map((sample, i) =>
    Math.max(0, (sample.received - samples[i].received) / ((sample.at - samples[i].at) / 1000))
  );
  if (rates.length === 0) return;
  const top = Math.max(1, ...rates);
  const step = 600 / (samplesMax - 2);
  const from = 600 - (rates.length - 1) * step;
  const points = rates.map((one, i) => `${from + i * step},${116 - (one / top) * 110}`);
  byId("rate-line").setAttribute("points", points.join(" "));
  byId("rate-area").setAttribute("d", `M${from},118L${points.join("L")}L600,118Z`);
  const spanMs = samples.at(-1).at - samples[0].at;
  byId("rate-caption").textContent = `readings received a second over the last ${
    ago(spanMs)
  }, at most ${number.format(top)}`;
}

const presenceClass = { online: "good", silent: "warn", offline: "bad" };

function valuesText(values) {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === "number" ? +value.toFixed(4) : value}`)
    .join(" · ");
}

const withoutZeros = (counters) =>
  Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0));

/** How many there are of each reason since the start, the most first. */
function reasonsText(counts) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([reason, count]) => `${reason} ${number.format(count)}`).join(" · ");
}

/** A page of them; `known` counts all by their presence. */
function showDevices({ items, next }, known) {
  const total = known.online + known.silent + known.offline;
  const more = total === 0
    ? "No device yet. Publish JSON to the MQTT address, for example " +
      `mosquitto_pub -h ${
        location.hostname.replace(/^\[|\]$/g, "")
      } -t greenhouse/bench_3 -q 1 -m '{"TMP":21.5}'`
    : items.length === 0
    ? `None of the ${number.format(total)} devices is like that.`
    : next === undefined
    ? ""
    : `The first ${items.length} are shown, of ${number.format(total)} devices in all; ` +
      "narrow them down by their id or presence.";
  const cellsOf = (
    { id, presence, lastSeen, values, counters, limitedForMs, quarantined, lastError: error },
  ) => [
    codeCell(id),
    quarantined
      ? cell("● quarantined", "bad")
      : limitedForMs > 0
      ? cell("● held to its rate", "warn")
      : cell(`● ${presence}`, presenceClass[presence]),
    cell(seen(lastSeen)),
    cell(valuesText(values)),
    cell(valuesText(withoutZeros(counters)), "quiet"),
    cell(error === undefined ? "" : `${seen(error.at)}, ${error.reason}: ${error.detail}`, "bad"),
  ];
  showTable("devices", items, cellsOf, more);
}

/** As ISO 8601, in local time. */
const localTime = (time) => new Date(time).toLocaleString("sv");

/** Rows of quarantined devices by id: each stays the same element, for the focus and for clicks. */
const quarantineRows = new Map();
const saidRefreshes = 3;
/** What was said of a release: for some refreshes, or until its device is quarantined again. */
let said = { id: undefined, refreshes: 0 };

function sayReleased(text, id) {
  byId("released").textContent = text;
  said = { id, refreshes: saidRefreshes };
}

function quarantineRow(id) {
  const button = element("button", "Give another chance");
  button.type = "button";
  button.addEventListener("click", () => release(id, button));
  return element("tr", [codeCell(id), cell("", "bad"), cell([button])]);
}

function showQuarantine({ items, next }) {
  if (said.refreshes-- <= 0 || items.some(({ id }) => id === said.id)) {
    byId("released").textContent = "";
  }
  byId("quarantine").hidden = items.length === 0 && byId("released").textContent === "";
  const table = byId("quarantined");
  const ids = new Set(items.map(({ id }) => id));
  for (const [id, row] of quarantineRows) {
    if (ids.has(id)) continue;
    row.remove();
    quarantineRows.delete(id);
  }
  items.forEach(({ id, lastError: error }, i) => {
    const row = quarantineRows.get(id) ?? quarantineRow(id);
    quarantineRows.set(id, row);
    row.cells[1].textContent = error === undefined
      ? ""
      : `${localTime(error.at)} ${error.reason}: ${error.detail}`;
    // Those that stay are in order already: what is moved loses the focus.
    if (table.rows[i] !== row) table.insertBefore(row, table.rows[i] ?? null);
  });
  byId("quarantined-more").textContent = next === undefined
    ? ""
    : "There are more: /api/quarantine lists them all.";
}

async function release(id, button) {
  button.disabled = true;
  try {
    const path = `/api/quarantine/${encodeURIComponent(id)}`;
    const answer = await fetch(path, { method: "DELETE" });
    if (answer.ok) sayReleased(`${id} has another chance`, id);
    else sayReleased((await answer.json()).detail);
  } catch (error) {
    sayReleased(error.message);
  }
  button.disabled = false;
  await refresh();
}

function showLetters({ items }, reasons) {
  byId("replay").hidden = items.length === 0;
  const counted = reasonsText(reasons);
  const more = items.length === 0
    ? "None: every reading could be stored."
    : (items.length < lettersShown ? "" : "The newest are shown; /api/dead-letters lists all. ") +
      (counted === "" ? "" : `Since the start: ${counted}.`);
  const cellsOf = ({ arrived, topic, reason, detail, payload, payloadBase64 }) => [
    cell(localTime(arrived)),
    codeCell(topic),
    cell(reason),
    cell(detail),
    codeCell((payload ?? `base64 ${payloadBase64}`).slice(0, 120)),
  ];
  showTable("letters", items, cellsOf, more);
}

/** What the reasons of refusals mean that are met first. */
const refusals = {
  no_route: "no route takes the topic",
  no_fields: "nothing in the payload is a number, or else what its route stores",
};

function showRefused({ items, forgotten }, reasons) {
  const counted = reasonsText(reasons);
  const meant = Object.entries(refusals).filter(([reason]) => reasons[reason] > 0);
  const more = counted === "" ? "None. Topics that no route takes are named here." : [
    `Since the start: ${counted}. What is refused is kept nowhere.`,
    ...meant.map(([reason, meaning]) => `${reason}: ${meaning}.`),
    items.length + forgotten > refusedShown ? "/api/refused-topics lists the latest topics." : "",
  ].join(" ");
  const cellsOf = ({ last, topic, reason, count }) => [
    cell(localTime(last)),
    codeCell(topic),
    cell(reason),
    cell(number.format(count)),
  ];
  showTable("refused", items.slice(0, refusedShown), cellsOf, more);
}

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
  const atFirst = actor.children.some(needsALook);
  details.open = atFirst !== toggled.has(actor.path);
  // Clicks, and not the toggle event: that comes for what is set here, too.
  details.firstChild.addEventListener("click", () => {
    if (!toggled.delete(actor.path)) toggled.add(actor.path);
  });
  return element("li", [details]);
}

async function replay() {
  byId("replay").disabled = true;
  try {
    const answer = await fetch("/api/dead-letters/replay", { method: "POST" });
    const body = await answer.json();
    byId("replayed").textContent = answer.ok
      ? `${number.format(body.replayed)} tried again, ${number.format(body.remaining)} left`
      : body.detail;
  } catch (error) {
    byId("replayed").textContent = error.message;
  }
  byId("replay").disabled = false;
  await refresh();
}

function devicesPath() {
  const query = new URLSearchParams({ limit: String(devicesShown) });
  const prefix = byId("prefix").value;
  const presence = byId("presence").value;
  if (prefix !== "") query.set("prefix", prefix);
  if (presence !== "") query.set("presence", presence);
  return `/api/devices?${query}`;
}

/** Who may not see them is shown the login instead. */
function showPanels(mayBeSeen) {
  byId("login").hidden = mayBeSeen;
  for (const panel of document.querySelectorAll("main > section")) panel.hidden = !mayBeSeen;
}

async function refresh() {
  try {
    const [status, devices, quarantine, letters, refused, actors] = await Promise.all([
      ask("/api/status"),
      ask(devicesPath()),
      ask(`/api/quarantine?limit=${lettersShown}`),
      ask(`/api/dead-letters?sort=desc&limit=${lettersShown}`),
      ask("/api/refused-topics"),
      ask("/api/actors?children=12"),
    ]);
    showStatus(status);
    showDevices(devices, status.devices);
    showQuarantine(quarantine);
    showLetters(letters, status.reasons.deadLettered);
    showRefused(refused, status.reasons.refused);
    byId("actors").replaceChildren(actorItem(actors));
    showPanels(true);
  } catch (error) {
    const unknown = error.status === 401;
    // Who is known, and may not see this, may log in as somebody else; who is banned may not.
    const mayNot = unknown || (error.status === 403 && !error.isBan);
    showPanels(!mayNot);
    byId("ready").textContent = mayNot ? "log in" : error.isBan ? "banned" : "no answer";
    byId("ready").className = mayNot ? "pill" : "pill bad";
    byId("reasons").hidden = unknown; // What programs are told there helps no person.
    byId("reasons").textContent = error.message;
  }
}

/** The token goes into a cookie that no script can read. */
async function logIn(event) {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(byId("login")));
  try {
    const answer = await fetch("/login", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ name, password, session: true }),
    });
    const body = await answer.json();
    byId("login-failed").textContent = answer.ok ? "" : body.detail;
    if (answer.ok) byId("login").reset();
  } catch (error) {
    byId("login-failed").textContent = error.message;
  }
  await refresh();
}

/** One request at a time, and none while nobody looks. */
async function follow() {
  if (document.visibilityState === "visible") await refresh();
  setTimeout(follow, refreshMs);
}

byId("replay").addEventListener("click", replay);
byId("login").addEventListener("submit", logIn);
for (const id of ["prefix", "presence"]) byId(id).addEventListener("input", refresh);
follow();
