/**
 * Asks the API. What is not answered with 2xx is thrown, with what the problem says.
 *
 * @module
 */

export async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json();
  if (answer.ok) return body;
  const error = new Error(body.detail ?? `${path} answered ${answer.status}`);
  error.status = answer.status;
  error.isBan = body.type === "urn:sluice:problem:banned";
  throw error;
}
