/**
 * The dashboard: asks the API every two seconds and shows what it says.
 *
 * @module
 */
import { showActors } from "./actors.js";
import { ask } from "./ask.js";
import { askDevices, followSearch, showDevices } from "./devices.js";
import { byId } from "./dom.js";
import { lettersShown, replay, showLetters, showRefused } from "./letters.js";
import { onRelease, showQuarantine } from "./quarantine.js";
import { showStatus } from "./status.js";

const refreshMs = 2_000;

/** What the status said last. */
let status;

/** Who may not see them is shown the login instead. */
function showPanels(mayBeSeen) {
  byId("login").hidden = mayBeSeen;
  for (const panel of document.querySelectorAll("main > section")) panel.hidden = !mayBeSeen;
}

function showFailure(error) {
  const unknown = error.status === 401;
  // Who is known, and may not see this, may log in as somebody else; who is banned may not.
  const mayNot = unknown || (error.status === 403 && !error.isBan);
  showPanels(!mayNot);
  byId("ready").textContent = mayNot ? "log in" : error.isBan ? "banned" : "no answer";
  byId("ready").className = mayNot ? "pill" : "pill bad";
  byId("reasons").hidden = unknown; // What programs are told there helps no person.
  byId("reasons").textContent = error.message;
}

async function refresh() {
  try {
    const [books, devices, quarantine, letters, refused, actors] = await Promise.all([
      ask("/api/status"),
      askDevices(),
      ask(`/api/quarantine?limit=${lettersShown}`),
      ask(`/api/dead-letters?sort=desc&limit=${lettersShown}`),
      ask("/api/refused-topics"),
      ask("/api/actors?children=12"),
    ]);
    status = books;
    showStatus(status);
    showDevices(devices, status);
    showQuarantine(quarantine);
    showLetters(letters, status.reasons.deadLettered);
    showRefused(refused, status.reasons.refused);
    showActors(actors);
    showPanels(true);
  } catch (error) {
    showFailure(error);
  }
}

/** Others are looked for: no more than they is asked for. */
async function refreshDevices() {
  if (status === undefined) return await refresh();
  try {
    showDevices(await askDevices(), status);
  } catch (error) {
    showFailure(error);
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

byId("replay").addEventListener("click", async () => {
  await replay();
  await refresh();
});
byId("login").addEventListener("submit", logIn);
onRelease(refresh);
followSearch(refreshDevices);
follow();
