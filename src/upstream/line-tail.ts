import { StringDecoder } from "node:string_decoder";

const mostLines = 50;
const longestLine = 500;
// More than is shown, so that a secret across the cut is still recognised whole when it is taken out.
const longestKept = 2000;

/** The last lines of a text that arrives in pieces; holds at most 50 lines of 500 characters. */
export interface LineTail {
  /** Oldest first. A last line without its newline counts. */
  readonly lines: readonly string[];
  write(bytes: Buffer): void;
  /** Adds a whole line of our own. */
  note(line: string): void;
  /** Ends a line that has no newline yet: what comes next is from another process. */
  finishLine(): void;
}

/** @param clean applied to each line when it is read, e.g. to take secrets out */
export function createLineTail(clean: (line: string) => string): LineTail {
  let decoder = new StringDecoder("utf8");
  const done: string[] = [];
  let open = "";
  const keep = (line: string): void => {
    done.push(line.slice(0, longestKept));
    if (done.length > mostLines) done.shift();
  };
  const append = (text: string): void => {
    const pieces = text.split("\n");
    for (const [index, piece] of pieces.entries()) {
      open = (open + piece).slice(0, longestKept);
      if (index === pieces.length - 1) return;
      keep(open.endsWith("\r") ? open.slice(0, -1) : open);
      open = "";
    }
  };
  const finishLine = (): void => {
    append(decoder.end());
    decoder = new StringDecoder("utf8");
    if (open !== "") keep(open);
    open = "";
  };
  return {
    get lines() {
      const all = open === "" ? done : [...done, open].slice(-mostLines);
      return all.map((line) => clean(line).slice(0, longestLine));
    },
    write: (bytes) => append(decoder.write(bytes)),
    note(line) {
      finishLine();
      keep(line);
    },
    finishLine,
  };
}
