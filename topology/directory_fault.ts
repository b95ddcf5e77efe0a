/**
 * Why a directory cannot be made or written, and what to do about it.
 *
 * @module
 */
import { isNoSpace } from "../actors/segment_log/no_space.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Two parts of a sentence each: what it is, and what to do. */
export interface DirectoryFault {
  readonly why: string;
  readonly remedy: string;
}

/** Looks at what is there, for the system's own words lead astray: "file exists". */
export function directoryFault(directory: string, cause: unknown): DirectoryFault {
  return inTheWay(directory) ?? ofSystem(cause);
}

/** The first part of the path that is no directory one may enter; one that is not there may be. */
function inTheWay(directory: string): DirectoryFault | undefined {
  for (const path of partsOf(directory)) {
    try {
      if (Deno.statSync(path).isDirectory) continue;
      return { why: `${path} is no directory`, remedy: "Move it away" };
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return danglingLink(path);
      if (cause instanceof Deno.errors.PermissionDenied) {
        const why = `this user may not enter a directory on the way to ${path}`;
        return { why, remedy: "Give this user the right to (x, for each of them)" };
      }
      return undefined;
    }
  }
  return undefined;
}

function danglingLink(path: string): DirectoryFault | undefined {
  try {
    const target = Deno.readLinkSync(path);
    const why = `${path} is a link to ${target}, which is not there`;
    return { why, remedy: "Make or mount that" };
  } catch {
    return undefined; // Nothing is there.
  }
}

function ofSystem(cause: unknown): DirectoryFault {
  const why = messageOf(cause);
  if (isNoSpace(cause)) return { why, remedy: "Make room on that disk" };
  const { code } = cause instanceof Error && "code" in cause ? cause : {};
  if (code === "EROFS") return { why, remedy: "Mount that file system for writing" };
  return { why, remedy: "Give this user the right to write there" };
}

/** `/a/b` → `/a`, `/a/b`. */
function partsOf(path: string): string[] {
  const names = path.split("/");
  return names.map((_, at) => names.slice(0, at + 1).join("/")).filter((part) => part !== "");
}
