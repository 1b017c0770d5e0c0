import type { CallLimits } from "../core/call-limits.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Tool } from "../core/mcp.ts";
import { mayAs, requireRole } from "../core/permissions.ts";
import type { Principal, Role } from "../core/principal.ts";
import { quotedName } from "../core/terminal-text.ts";
import { toolAccess } from "../core/tool-access.ts";

/** A tool that somebody wants to call, as it was found. */
export interface WantedTool {
  exposedName: string;
  /** Whose it is. */
  server: Pick<ServerConfiguration, "name" | "tags" | "access">;
  /** As its own server lists it; undefined where it lists none of the name, so that nobody knows what it does. */
  entry: Tool | undefined;
}

/**
 * Whether a tool call may be made: decided here and nowhere else, anew for every attempt, before anything of it
 * runs (contract §4 "Roles", "Rate limit").
 */
export interface CallDecisions {
  /**
   * Whether the principal may call anything now; counts the attempt, whatever becomes of it.
   * @throws AppError `rate_limited`, `forbidden` (InsufficientScope among them)
   */
  admit(principal: Principal): void;
  /**
   * Whether it may call this tool now; counts it for the tool's own limit if so.
   * @throws AppError `forbidden` (InsufficientScope among them), `rate_limited`
   */
  permit(principal: Principal, tool: WantedTool): void;
}

/** @param limits undefined: nothing is counted */
export function createCallDecisions(limits: CallLimits | undefined): CallDecisions {
  return {
    admit(principal) {
      refuseFor(limits?.take(principal), () => "Too many tool calls within a minute");
      requireRole(principal, "viewer", "Calling tools");
    },
    permit(principal, wanted) {
      const { exposedName, server } = wanted;
      if (!mayAs(principal, "editor")) {
        const { role, what } = neededFor(wanted);
        requireRole(principal, role, what, server);
      }
      refuseFor(
        limits?.takeTool(principal, exposedName),
        () => `Too many calls of tool ${quotedName(exposedName)} within a minute`,
      );
    },
  };
}

/** Which role a call of a tool needs, and the call as the subject of a sentence that refuses it. */
export function neededFor({ exposedName, server, entry }: WantedTool): {
  role: Role;
  what: string;
} {
  const tool = `Tool ${quotedName(exposedName)}`;
  const reads = entry !== undefined && toolAccess(server.access, entry) === "read";
  return reads
    ? { role: "viewer", what: tool }
    : { role: "editor", what: `${tool} changes things, so it` };
}

/** @param waitMs until a call may be made; undefined: now */
function refuseFor(waitMs: number | undefined, message: () => string): void {
  if (waitMs === undefined) return;
  // Whole seconds, and never so few that the next attempt comes too early.
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new AppError("rate_limited", message(), {
    hint: `Try again in ${retryAfterSeconds} s`,
    retryAfterSeconds,
  });
}
