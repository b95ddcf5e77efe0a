/**
 * Answers of `HEAD`: the head that `GET` would have, without its body (RFC 9110 §9.3.2).
 *
 * @module
 */

/** The head of an answer to `GET` that ends, with the length of its body. */
export async function headOf(answer: Response): Promise<Response> {
  const { status, headers } = answer;
  const { byteLength } = await answer.arrayBuffer();
  headers.set("content-length", String(byteLength));
  return new Response(null, { status, headers });
}

/**
 * The head of an answer to `GET` that does not end. With a body of `null` the server would say that
 * its length is 0.
 */
export function headOfStream(headers: HeadersInit): Response {
  return new Response(new ReadableStream({ start: (body) => body.close() }), { headers });
}
