/** What a key ring process of the tests is told to do; everything is text, so that it fits a command line. */
export interface RingTask {
  configDir: string;
  sessionBus?: string | undefined;
  store: "file" | "keychain";
  job:
    | { kind: "storm"; urls: readonly string[]; ms: number }
    /** Saves, and kills itself at a step. */
    | { kind: "save"; url: string; token: string; die: "before-secret" | "after-secret" }
    | { kind: "renew"; url: string; authorization: string; die?: "answered" | "after-secret" };
}

/** What it says at its end, as one line of JSON. */
export interface RingOutcome {
  /** How often it did what. */
  counts: Record<string, number>;
  /** What went wrong. */
  errors: string[];
  /** What the key ring reported. */
  reports: string[];
  /** The token after a renewal. */
  token?: string | undefined;
}
