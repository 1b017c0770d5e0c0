/** Every limit of an upstream connection, in one place; milliseconds, bytes and counts. */
export interface UpstreamTimings {
  /** From the start of a connection to its complete listing. `npx` may have to install first. */
  startMs: number;
  /** How long one kind of list may take; prompts and resources that take longer are left out. */
  listMs: number;
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
  /** Quiet time between a change of a list being announced and listing it again; doubles, up to `longestPauseMs`, while announcements keep coming. */
  relistMs: number;
  /** First pause of the back-off; doubles with each failure. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** A connection that held this long starts the back-off afresh when it is lost. */
  stableMs: number;
  /** How long a server may take to show that it is still there. */
  livenessMs: number;
  /** How long after a request it left unanswered; a server may be busy with just that. */
  hungMs: number;
  /** How long calls under way on a server that was removed or changed may still take. */
  drainMs: number;
  /** A client session's own connection that nobody used for this long is closed until its next request. */
  sessionIdleMs: number;
  /** How long the connection of a call from a client without a session waits for another call like it. */
  leaseIdleMs: number;
  /** How long a client waits for the listing over its own connection before it gets the common one. */
  ownListingMs: number;
  /** Connections of single clients to one server; of processes, each connection being one. */
  mostOwnConnections: number;
  mostOwnProcesses: number;
  /** Of them, of one principal. */
  mostOwnConnectionsOfOneOwner: number;
  mostOwnProcessesOfOneOwner: number;
  /** Of them, under way for one principal without a session at once. */
  mostLeasesOfOneOwner: number;
}

/** Connections of single clients to all servers together. */
export const ownConnectionsInTotal = { most: 1000, mostOfOneOwner: 750 };

export const defaultTimings: UpstreamTimings = {
  startMs: 60_000,
  listMs: 30_000,
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
  hungMs: 20_000,
  drainMs: 30_000,
  sessionIdleMs: 30 * 60_000,
  leaseIdleMs: 30_000,
  ownListingMs: 10_000,
  mostOwnConnections: 250,
  mostOwnProcesses: 32,
  mostOwnConnectionsOfOneOwner: 200,
  mostOwnProcessesOfOneOwner: 24,
  mostLeasesOfOneOwner: 16,
};
