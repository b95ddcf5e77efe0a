/**
 * Unpacks a body within bounds: what is larger unpacked than it may be is found out by unpacking no
 * more than that.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { Problem, unknownEncoding } from "../problem.ts";

/**
 * The body as it was before `Content-Encoding`.
 *
 * @throws {Problem} `body-too-large`, `invalid-body` or `unsupported-media-type`.
 */
export function unpack(body: Uint8Array, encoding: string | null, bytesMax: number): Uint8Array {
  switch (encoding?.toLowerCase() ?? "identity") {
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return gunzip(body, bytesMax);
    default:
      throw unknownEncoding(encoding ?? "", "gzip");
  }
}

function gunzip(body: Uint8Array, bytesMax: number): Uint8Array {
  try {
    const { buffer, byteOffset, length } = gunzipSync(body, { maxOutputLength: bytesMax });
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") {
      throw new Problem("body-too-large", `the body may have ${bytesMax} bytes at most, unpacked`);
    }
    throw new Problem("invalid-body", "the body is no gzip");
  }
}
