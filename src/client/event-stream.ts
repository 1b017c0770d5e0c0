import { StringDecoder } from "node:string_decoder";

/** One event of a `text/event-stream` (WHATWG HTML §9.2): its name and its data. */
export interface StreamEvent {
  event: string;
  data: string;
}

/**
 * Reads events as they arrive. Comments, ids and retry times are left out; an event that is cut off by
 * the end of the stream is no event.
 * @param onBytes is told the size of each chunk, and throws when it has been enough
 */
export async function* readEvents(
  stream: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<StreamEvent> {
  let event = "";
  let data: string[] = [];
  for await (const line of readLines(stream, onBytes)) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /u, "");
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
}

/** Whole lines, without their ends (CRLF, LF or CR). */
async function* readLines(
  stream: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  // What follows the last line end; in pieces, because one line may be as long as a whole result.
  let rest: string[] = [];
  for await (const chunk of stream) {
    onBytes(chunk.length);
    const text = decoder.write(chunk);
    const afterReturn = rest.at(-1)?.endsWith("\r") === true;
    rest.push(text);
    if (!afterReturn && !/[\r\n]/u.test(text)) continue;
    // A `\r` at the very end may be the first half of a line end.
    const lines = rest.join("").split(/\r\n|\n|\r(?!$)/u);
    rest = [lines.pop() ?? ""];
    yield* lines;
  }
  const last = rest.join("");
  if (last.endsWith("\r")) yield last.slice(0, -1);
}
