/** A connection could not be opened; the message is the reason, in one line. */
export class OpeningError extends Error {
  override readonly name = "OpeningError";
  /** It failed while the server was asked for the modern era; the next start should not ask. */
  readonly inProbe: boolean;
  /** The process ended during that question, as some legacy servers do at any request they do not know. */
  readonly endedInProbe: boolean;

  constructor(
    reason: string,
    options: { inProbe: boolean; endedInProbe: boolean; cause: unknown },
  ) {
    super(reason, { cause: options.cause });
    this.inProbe = options.inProbe;
    this.endedInProbe = options.endedInProbe;
  }
}
