/** Every limit of an upstream connection, in one place; milliseconds, bytes and counts. */
export interface UpstreamTimings {
  /** From the start of a connection to its complete tool list. `npx` may have to install first. */
  startMs: number;
  /** How long the question for the modern protocol era may stay unanswered. */
  probeMs: number;
  /** How long a process may take to end by itself after its standard input was closed. */
  stdinGraceMs: number;
  /** How long it may take after SIGTERM. */
  termGraceMs: number;
  /** How long to wait for SIGKILL to have taken effect. */
  killGraceMs: number;
  /** How long a process that closed a pipe may take to exit and so tell why. */
  exitGraceMs: number;
  /** Quiet time between a change of the tool list being announced and listing it again; doubles, up to `longestPauseMs`, while announcements keep coming. */
  relistMs: number;
  /** First pause of the back-off; doubles with each failure. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** A connection that held this long starts the back-off afresh when it is lost. */
  stableMs: number;
  /** How long a server may take to show that it is still there. */
  livenessMs: number;
}

export const defaultTimings: UpstreamTimings = {
  startMs: 60_000,
  probeMs: 10_000,
  stdinGraceMs: 1500,
  termGraceMs: 1500,
  killGraceMs: 500,
  exitGraceMs: 250,
  relistMs: 100,
  firstPauseMs: 1000,
  longestPauseMs: 30_000,
  stableMs: 60_000,
  livenessMs: 5000,
};
