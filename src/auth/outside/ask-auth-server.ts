/** One request to an auth server. */
export interface AuthServerRequest {
  method: "GET" | "POST";
  url: string;
  headers?: Readonly<Record<string, string>> | undefined;
  body?: string | undefined;
  /** The most that the answer's body may have; absent: 64 KiB. */
  maxBodyBytes?: number | undefined;
  /** It is about somebody for whom nothing speaks yet: a flood of such requests leaves places for the others. */
  isUnproven?: boolean | undefined;
}

export interface AuthServerAnswer {
  status: number;
  /** Names in lower case; of several of one name the first. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Whole, within the limit. */
  body: string;
}

/** No answer, or none that can be read: not reached, not in time, too large, a redirection. Holds no credential. */
export class AuthServerUnavailable extends Error {
  override readonly name = "AuthServerUnavailable";
  /** Whether it is for the operator to mend here: what the gateway shows there is not accepted. */
  readonly isOurFault: boolean;

  /** @param message one line for people, of our own words: it is shown to whoever asked, and in the log */
  constructor(message: string, options: { isOurFault?: boolean } = {}) {
    super(message);
    this.isOurFault = options.isOurFault ?? false;
  }
}

/**
 * Asks an auth server, whatever status it answers with: within a limit of time and size, following no redirection,
 * with a bounded number of requests at once.
 * @throws AuthServerUnavailable
 */
export type AskAuthServer = (request: AuthServerRequest) => Promise<AuthServerAnswer>;
