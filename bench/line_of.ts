/**
 * Waiting for a program to say something.
 *
 * @module
 */

/** Resolves with the first line that holds `text`; what follows is read and thrown away. */
export function lineOf(stream: ReadableStream<Uint8Array>, text: string): Promise<string> {
  const found = Promise.withResolvers<string>();
  (async () => {
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      const line = lines.find((line) => line.includes(text));
      if (line !== undefined) found.resolve(line);
    }
    found.reject(new Error(`the program ended without saying ${text}`));
  })().catch(found.reject);
  return found.promise;
}
