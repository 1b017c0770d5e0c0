import type { Caller } from "../core/client-port.ts";
import { scopesReach } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";

/**
 * Who sent one message, for as long as that is worked on: by then the client may show a newer token, which is as good
 * as the one before unless they are limited otherwise.
 */
export class Sender implements Caller {
  readonly projectId: string | null;
  readonly #shown: Principal;
  readonly #current: () => Principal;

  /** @param current as whom the session goes on */
  constructor(sender: Caller, current: () => Principal) {
    this.projectId = sender.projectId;
    this.#shown = sender.principal;
    this.#current = current;
  }

  get principal(): Principal {
    const shown = this.#shown;
    const current = this.#current();
    return scopesReach(shown, current) && scopesReach(current, shown) ? current : shown;
  }
}
