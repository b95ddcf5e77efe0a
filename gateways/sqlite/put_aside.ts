/**
 * Damage of a SQLite file, looked for before it is used.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { isDamage } from "./result_code.ts";

/**
 * Puts a damaged file aside, as `<file>.damaged`, to be called before anybody opens it. Gives what was
 * wrong, `undefined` when nothing is.
 */
export function putAsideIfDamaged(file: string): string | undefined {
  const wrong = damageOf(file);
  if (wrong === undefined) return undefined;
  Deno.renameSync(file, `${file}.damaged`);
  for (const rest of [`${file}-wal`, `${file}-shm`]) {
    try {
      Deno.removeSync(rest);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
  }
  return wrong;
}

/** What is wrong with a file, `undefined` when nothing is, or it is not there. */
export function damageOf(file: string): string | undefined {
  let database: DatabaseSync | undefined;
  try {
    Deno.statSync(file);
    database = new DatabaseSync(file);
    const answer = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    return answer === "ok" ? undefined : oneLine(String(answer));
  } catch (cause) {
    // Anything else is told when the file is opened for use, and may have passed by then.
    return isDamage(cause) ? cause.message : undefined;
  } finally {
    database?.close();
  }
}

/** The words of SQLite's check, which it sets in lines. */
const oneLine = (text: string): string =>
  text.replaceAll("*** in database main ***\n", "").replaceAll("\n", "; ");
