import { isJsonObject } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import type { Tool } from "../../core/mcp.ts";
import { toolSignature } from "../../core/signature.ts";
import type { Io } from "../context.ts";
import { fittingTable } from "./fitting-table.ts";
import { indented, inLine } from "./foreign-text.ts";
import { jsonText } from "./json-text.ts";

/** `inspect <server>/<tool> --json`: `{server, signature, tool: the tool as its server sent it}`. */
export function toolPageJson(server: string, tool: Tool, prefix: string | undefined): object {
  return { server, signature: toolSignature(prefix, tool), tool };
}

/** A tool for people: how it is called, what it does, what each parameter is, and its schema. */
export function toolPageText(
  tool: Tool,
  prefix: string | undefined,
  run: string,
  io: Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">,
): string {
  const { title, description, inputSchema, outputSchema } = tool;
  const hints = hintsOf(tool["annotations"]);
  const parameters = parameterRows(tool, io);
  const parts = [
    `${run} ${toolSignature(prefix, tool)}\n`,
    ...(typeof title === "string" && title !== "" ? [`\n${inLine(title, io)}\n`] : []),
    ...(typeof description === "string" && description.trim() !== ""
      ? ["\n", indented(description, io, "  ")]
      : []),
    ...(hints.length === 0 ? [] : [`\nIts server says: ${hints.join(", ")}\n`]),
    parameters.length === 0
      ? "\nNo parameters\n"
      : `\nParameters\n${fittingTable(parameters, io, [0])}`,
    `\nSchema of the arguments\n${jsonText(inputSchema, io)}`,
    ...(isJsonObject(outputSchema)
      ? [`\nSchema of the structured result\n${jsonText(outputSchema, io)}`]
      : []),
  ];
  return parts.join("");
}

/** MCP tool annotations as words. They are claims of the server. */
function hintsOf(annotations: Json | undefined): string[] {
  if (!isJsonObject(annotations)) return [];
  const words: readonly (readonly [string, string, string])[] = [
    ["readOnlyHint", "only reads", "changes things"],
    ["destructiveHint", "may destroy", "only adds"],
    ["idempotentHint", "the same again changes nothing", "each call counts"],
    ["openWorldHint", "reaches beyond itself", "stays within itself"],
  ];
  return words.flatMap(([name, yes, no]) => {
    const value = annotations[name];
    return typeof value === "boolean" ? [value ? yes : no] : [];
  });
}

function parameterRows(tool: Tool, io: Pick<Io, "foreign">): string[][] {
  const { properties } = tool.inputSchema;
  if (!isJsonObject(properties)) return [];
  const required = Array.isArray(tool.inputSchema["required"]) ? tool.inputSchema["required"] : [];
  return Object.entries(properties).map(([name, schema]) => [
    `  ${inLine(name, io, 60)}`,
    inLine(typeWords(schema), io, 60),
    required.includes(name) ? "required" : "optional",
    inLine(aboutWords(schema), io, 200),
  ]);
}

function typeWords(schema: Json): string {
  if (!isJsonObject(schema)) return "any";
  const { type, enum: choices } = schema;
  if (Array.isArray(choices)) return choices.map((choice) => plain(choice)).join("|");
  if (Array.isArray(type)) return type.map((name) => plain(name)).join("|");
  return typeof type === "string" ? type : "any";
}

function aboutWords(schema: Json): string {
  if (!isJsonObject(schema)) return "";
  const about = typeof schema["description"] === "string" ? schema["description"] : "";
  const preset = schema["default"];
  return preset === undefined ? about : `${about} (default ${plain(preset)})`.trim();
}

function plain(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
