import type { CallLimits } from "../core/call-limits.ts";
import type { ServerAccess } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Tool } from "../core/mcp.ts";
import { mayAs, requireRole } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";
import { toolAccess } from "../core/tool-access.ts";

/** A tool that somebody wants to call, as it was found. */
export interface WantedTool {
  exposedName: string;
  access: ServerAccess;
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
   * @throws AppError `rate_limited`, `forbidden`
   */
  admit(principal: Principal): void;
  /**
   * Whether it may call this tool now; counts it for the tool's own limit if so.
   * @throws AppError `forbidden`, `rate_limited`
   */
  permit(principal: Principal, tool: WantedTool): void;
}

/** @param limits undefined: nothing is counted */
export function createCallDecisions(limits: CallLimits | undefined): CallDecisions {
  return {
    admit(principal) {
      refuseFor(limits?.take(principal), "Too many tool calls within a minute");
      requireRole(principal, "viewer", "Calling tools");
    },
    permit(principal, { exposedName, access, entry }) {
      const tool = JSON.stringify(oneLine(exposedName, 120));
      if (!mayAs(principal, "editor")) {
        const reads = entry !== undefined && toolAccess(access, entry) === "read";
        if (!reads) requireRole(principal, "editor", `Tool ${tool} changes things, so it`);
      }
      refuseFor(
        limits?.takeTool(principal, exposedName),
        `Too many calls of tool ${tool} within a minute`,
      );
    },
  };
}

/** @param waitMs until a call may be made; undefined: now */
function refuseFor(waitMs: number | undefined, message: string): void {
  if (waitMs === undefined) return;
  // Whole seconds, and never so few that the next attempt comes too early.
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new AppError("rate_limited", message, {
    hint: `Try again in ${retryAfterSeconds} s`,
    retryAfterSeconds,
  });
}
