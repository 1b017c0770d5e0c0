import { createHash } from "node:crypto";
import type { JsonObject } from "../core/json.ts";
import type { Tool } from "../core/mcp.ts";
import {
  instructionsDefinition,
  largestDefinition,
  toolDefinition,
} from "../core/pin-definition.ts";
import type { PinDefinition } from "../core/pin-definition.ts";
import { createRecent } from "../core/recent.ts";

/** What a server offers now, as `ToolPin` has it. */
export interface Offered {
  hash: string;
  definition: JsonObject;
  /** Of `definition`, about. */
  characters: number;
}

/** Hashed once for each object that a server sent: lists are asked about again and again. */
export interface PinnedDefinitions {
  tool(tool: Tool): Offered;
  instructions(text: string): Offered;
}

/** Instructions that are remembered: servers say of themselves what they said before. */
const mostTexts = 100;

export function createPinnedDefinitions(): PinnedDefinitions {
  const tools = new WeakMap<Tool, Offered>();
  const texts = createRecent<string, Offered>(mostTexts);
  return {
    tool(tool) {
      const known = tools.get(tool);
      if (known !== undefined) return known;
      const offered = hashed(toolDefinition(tool));
      tools.set(tool, offered);
      return offered;
    },
    instructions(text) {
      const known = texts.get(text);
      if (known !== undefined) return known;
      const offered = hashed(instructionsDefinition(text));
      texts.set(text, offered);
      return offered;
    },
  };
}

function hashed({ canonical, definition }: PinDefinition): Offered {
  const characters = Math.min(canonical.length, largestDefinition);
  return { hash: sha256(canonical), definition, characters };
}

/** In hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
