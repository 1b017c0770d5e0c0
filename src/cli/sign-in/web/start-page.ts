import { randomBytes } from "node:crypto";

/** As long as a person has, in seconds. */
const cookieSeconds = 300;

/**
 * The page that a browser is started with, in place of the authorization URL: other users of the machine can read what a
 * program is started with, and whoever knows `state` could have the person signed in as somebody else (RFC 9700 §4.7).
 * Whom it was shown to has a cookie, and an answer without it is not taken.
 */
export class StartPage {
  readonly path = `/start/${randomToken()}`;
  readonly #cookie: string;
  #leadsTo: URL | undefined;
  #opened = false;

  /** @param port cookies of 127.0.0.1 are those of all its ports: the name tells them apart */
  constructor(port: number) {
    this.#cookie = `onedoor-sign-in-${port}=${randomToken()}`;
  }

  /** Opens it, until it is withdrawn. */
  offer(leadsTo: URL): void {
    this.#leadsTo = leadsTo;
  }

  /** @returns whether nobody has been there; otherwise it stays */
  withdraw(): boolean {
    if (!this.#opened) this.#leadsTo = undefined;
    return !this.#opened;
  }

  /** Whether only the browser that was here may bring the answer. */
  get isOffered(): boolean {
    return this.#leadsTo !== undefined;
  }

  /**
   * Where a visitor is sent, and what it is given; `stranger`: another browser was here before; undefined: there is no
   * such page.
   */
  visit(cookies: string | undefined): Record<string, string> | "stranger" | undefined {
    if (this.#leadsTo === undefined) return undefined;
    // Some browsers come twice, to be faster.
    if (this.#opened && !this.knows(cookies)) return "stranger";
    this.#opened = true;
    return {
      location: this.#leadsTo.href,
      "set-cookie": `${this.#cookie}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax`,
    };
  }

  /** @param cookies a request's header */
  knows(cookies: string | undefined): boolean {
    return (cookies ?? "").split(/;\s*/u).includes(this.#cookie);
  }
}

/** What nobody can guess. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}
