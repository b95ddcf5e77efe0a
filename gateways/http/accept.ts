/**
 * What a client accepts (RFC 9110 §12.5.1).
 *
 * @module
 */
import { Problem } from "./problem.ts";

/** @throws {Problem} `not-acceptable`, when an answer in one of these media types is none it accepts. */
export function checkAccept(accept: string | null, types: readonly string[]): void {
  if (accept === null) return;
  const ranges = accept.toLowerCase().split(",").map((part) =>
    part.split(";").map((piece) => piece.trim())
  );
  const fits = types.some((type) => {
    const [wanted = ""] = type.toLowerCase().split(";");
    const [group] = wanted.split("/");
    return ranges.some(([range, ...parameters]) =>
      (range === "*/*" || range === wanted || range === `${group}/*`) &&
      !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    );
  });
  if (!fits) {
    throw new Problem("not-acceptable", `the answer is ${types.join(" or ")}; accept that, or */*`);
  }
}
