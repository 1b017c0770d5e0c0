import { isJsonObject } from "../../src/core/json.ts";
import type { Answer } from "./support.ts";

/** What stands at the end of this way through an answer; undefined where the way ends before. */
export function at({ json }: Answer, ...way: (string | number)[]): unknown {
  let value: unknown = json;
  for (const step of way) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isJsonObject(value) && typeof step === "string") value = value[step];
    else return undefined;
  }
  return value;
}

/** One field of each entry of a list. */
export function idsOf(answer: Answer, list: string, key = "id"): unknown[] {
  const entries = at(answer, list);
  if (!Array.isArray(entries)) throw new Error(`The answer has no ${list}: ${answer.text}`);
  return entries.map((_entry, index) => at(answer, list, index, key));
}
