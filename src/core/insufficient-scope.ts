import { AppError } from "./errors.ts";
import type { ErrorBody } from "./errors.ts";
import { isScopeToken } from "./scope-token.ts";
import { oneLine } from "./terminal-text.ts";

/**
 * The credential is good and its user may, but the credential is limited to less: another one would do
 * (RFC 6750 §3.1 `insufficient_scope`).
 */
export class InsufficientScope extends AppError {
  /** All that is needed at once, in the order in which it is told. */
  readonly scopes: readonly string[];
  constructor(message: string, options: { scopes: readonly string[]; hint?: string | undefined }) {
    super("forbidden", message, { hint: options.hint });
    this.scopes = options.scopes;
  }

  /** With `scopes` beside what every failure says. */
  override toBody(): ErrorBody {
    return { error: { ...super.toBody().error, scopes: [...this.scopes] } };
  }
}

/** What may stand between quotes of a challenge (RFC 6750 §3), readable still where it quotes a name itself. */
export function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/gu, "?");
}

/** Characters: names of servers are long at times, and a header is not. */
const longestDescription = 300;

/**
 * The challenge of a 403 (RFC 6750 §3, §3.1): a request with a token of all these scopes would not be refused. Where
 * one of them cannot stand in a header, as a server's name with a space, `scope` is left out: a part would mislead.
 */
export function insufficientScopeChallenge({
  message,
  scopes,
}: Pick<InsufficientScope, "message" | "scopes">): string {
  const description = quotable(oneLine(message, longestDescription));
  const canBeTold = scopes.length > 0 && scopes.every(isScopeToken);
  return [
    'Bearer realm="onedoor"',
    'error="insufficient_scope"',
    ...(canBeTold ? [`scope="${scopes.join(" ")}"`] : []),
    `error_description="${description}"`,
  ].join(", ");
}
