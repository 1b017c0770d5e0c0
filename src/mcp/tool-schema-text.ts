import type { JsonObject } from "../core/json.ts";
import type { Tool } from "../core/mcp.ts";
import { shownMembers } from "../core/tool-pin.ts";

/** More than this nobody reads, and it would fill a model's memory. */
const longestText = 100_000;
const longestDescription = 10_000;

/** A tool as JSON, without icons and the like, which are for people. One that is too long says what was left out of it. */
export function toolSchemaText(tool: Tool): string {
  const whole: JsonObject = {};
  for (const key of shownMembers) {
    const value = tool[key];
    if (value !== undefined) whole[key] = value;
  }
  const text = JSON.stringify(whole);
  if (text.length <= longestText) return text;
  const { outputSchema: _output, description, ...shorter } = whole;
  const cut = {
    ...shorter,
    ...(typeof description === "string" && {
      description: description.slice(0, longestDescription),
    }),
  };
  const shorterText = JSON.stringify(cut);
  if (shorterText.length <= longestText) {
    return `${shorterText}\n(Its listing is too long: the description is cut, the output schema left out)`;
  }
  const rest = { name: tool.name, description: cut.description ?? null };
  const why =
    "(Its listing is too long: the schemas are left out; a wrong call says what is wrong)";
  return `${JSON.stringify(rest)}\n${why}`;
}
