import type { Principal } from "./principal.ts";

/**
 * How many tools a principal may call (contract §4 "Rate limit"). Looking and counting is one step, so calls that
 * come at once cannot pass together where one may.
 */
export interface CallLimits {
  /**
   * Counts a tool call by this principal, whatever becomes of it.
   * @returns undefined when it may be made; else how many milliseconds until one may, and nothing is counted
   */
  take(principal: Principal): number | undefined;
  /** The same for the limit of one tool, by its exposed name. */
  takeTool(principal: Principal, exposedName: string): number | undefined;
}
