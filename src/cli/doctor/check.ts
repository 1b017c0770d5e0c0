import type { Ground } from "./ground.ts";

/** `warn`: it works, and may not for long or not as meant; `fail`: something does not work. */
export type FindingState = "ok" | "warn" | "fail";

/** One line of what the doctor says. */
export interface Finding {
  name: string;
  state: FindingState;
  /** One line. */
  message: string;
  /** The command that mends it, for a shell. */
  mend?: string | undefined;
}

/** One thing that is looked at. It changes nothing on the machine. */
export interface Check {
  name: string;
  /** @param signal aborted when its time, or the command's, is over */
  look(ground: Ground, signal: AbortSignal): Promise<Finding | readonly Finding[]>;
}
