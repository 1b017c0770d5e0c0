import { encode } from "@toon-format/toon";
import type { Io } from "../context.ts";

/**
 * A JSON value as TOON, with its line end. What its library does not take (what nests too deep, half of a character) is
 * JSON in one line, and `io` says so: no answer is lost for the sake of its form.
 */
export function toonText(value: unknown, io: Pick<Io, "note">): string {
  try {
    return `${encode(value)}\n`;
  } catch {
    io.note("This cannot be written as TOON; it is JSON");
    return `${JSON.stringify(value)}\n`;
  }
}
