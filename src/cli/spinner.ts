import ora from "ora";
import type { Ora } from "ora";

/** The spinner library, in a file of its own because it is loaded lazily. */
export function createSpinner(stream: NodeJS.WriteStream, text: string): Ora {
  // stdin stays alone: a token or an answer may be typed while it turns.
  return ora({ text, stream, isEnabled: true, discardStdin: false });
}
