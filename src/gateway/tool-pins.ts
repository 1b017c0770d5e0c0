import type { ServerConfiguration } from "../core/configuration.ts";
import type { Listing } from "../core/mcp.ts";

/** What every server was when it was approved, in memory: asked on the way of each list and call. */
export interface ToolPins {
  /** Own names of the tools of this listing that are withheld at the moment; asked when it is used, too. */
  withheld(server: ServerConfiguration, listing: Listing): ReadonlySet<string>;
  /** Those of them that cannot be approved: the server has had more names than are remembered. */
  beyond(server: ServerConfiguration, listing: Listing): ReadonlySet<string>;
  /** Whether what the server says of itself is withheld. */
  withholdsInstructions(server: ServerConfiguration, instructions: string): boolean;
  /** Counts up whenever another answer to `withheld` is possible for a listing that is the same. */
  readonly version: number;
  /** Told after `version` has changed. */
  onChange(listener: () => void): () => void;
}
