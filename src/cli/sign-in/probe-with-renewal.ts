import { shownAddress } from "../../client/http-json.ts";
import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { Bearer } from "../bearer.ts";
import type { Context } from "../context.ts";
import { renewRefused } from "../profile-bearer.ts";
import type { AuthDependencies } from "./dependencies.ts";

/** What a server said of a bearer: the one that it was shown last. */
export interface ProbedBearer {
  bearer: Bearer;
  probe: AuthenticationProbe;
}

/**
 * Asks a server about a bearer. One that is refused before its time is renewed, and asked about once more, as for any
 * request.
 * @throws what `probeAuthentication` and `renewRefused` throw; `timeout` names the server
 */
export async function probeWithRenewal(
  { endpoint, server }: { endpoint: string; server: "onedoor" | "mcp" | "unknown" },
  bearer: Bearer,
  context: Context,
  dependencies: AuthDependencies,
): Promise<ProbedBearer> {
  const ask = async (shown: Bearer): Promise<ProbedBearer> => {
    const { signal } = context.deadline;
    const known = server === "unknown" ? undefined : server;
    try {
      const probe = await dependencies.probeAuthentication(endpoint, shown.token, signal, known);
      return { bearer: shown, probe };
    } catch (error) {
      throw error === signal.reason ? withAddress(error, endpoint) : error;
    }
  };
  const first = await ask(bearer);
  const other =
    first.probe.kind === "rejected" && (await renewRefused(bearer, context, dependencies));
  return other ? ask(other) : first;
}

/** The deadline of a command does not know for what it is waiting. */
function withAddress(error: unknown, endpoint: string): unknown {
  if (!(error instanceof AppError) || error.code !== "timeout") return error;
  const { message, hint } = error;
  return new AppError("timeout", `${shownAddress(endpoint)}: ${message}`, { hint, cause: error });
}
