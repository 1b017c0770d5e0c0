import type { IncomingMessage } from "node:http";

/**
 * What a header says each time it stands in the head, in its order; empty when it does not. `headers` keeps only the
 * first of some names, and `headersDistinct` takes a whole head apart to tell of one.
 * @param name in lower case
 */
export function headerValues(
  { rawHeaders }: Pick<IncomingMessage, "rawHeaders">,
  name: string,
): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const key = rawHeaders[at] ?? "";
    if (key.length === name.length && key.toLowerCase() === name)
      values.push(rawHeaders[at + 1] ?? "");
  }
  return values;
}
