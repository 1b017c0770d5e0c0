import { isJsonObject } from "../../core/json.ts";
import type { Tool } from "../../core/mcp.ts";
import { escapeJsonForTerminal } from "../../core/terminal-text.ts";
import type { Io } from "../context.ts";
import { describe, keyOf, typeOfSchema } from "./ts-type.ts";

/**
 * Tools as a TypeScript interface: a method for each, of its arguments and, where the server says what its structured
 * result is, of that. Descriptions are comments. It is TypeScript whatever the server lists.
 * @param heading what is above it, our own words or foreign ones
 */
export function tsSignatures(
  tools: readonly Tool[],
  heading: string,
  io: Pick<Io, "stdoutIsTerminal">,
): string {
  const methods = tools.map((tool) => methodOf(tool));
  const text = `${describe([heading], "")}interface Tools {\n${methods.join("")}}\n`;
  // Within strings and comments alone there is something to escape, and there these escapes are TypeScript.
  return io.stdoutIsTerminal ? escapeJsonForTerminal(text) : text;
}

function methodOf(tool: Tool): string {
  const { name, title, description, inputSchema, outputSchema } = tool;
  const about = typeof description === "string" ? description : title;
  const comment = describe(typeof about === "string" ? [about] : [], "  ");
  const result = isJsonObject(outputSchema) ? typeOfSchema(outputSchema, "  ") : "unknown";
  return `${comment}  ${keyOf(name)}(${parametersOf(inputSchema)}): ${result};\n`;
}

function parametersOf(schema: Tool["inputSchema"]): string {
  const { properties, required } = schema;
  const type = typeOfSchema(schema, "  ");
  const isEmpty = !isJsonObject(properties) || Object.keys(properties).length === 0;
  if (isEmpty && /^(?:Record<string, (?:unknown|never)>|unknown)$/u.test(type)) return "";
  const needed = Array.isArray(required) && required.length > 0;
  return `input${needed ? "" : "?"}: ${type}`;
}
