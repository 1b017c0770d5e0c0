import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { abortReason } from "../../client/http-json.ts";
import type { AskPerson, ElicitationAnswer } from "../../client/tool-server.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { readYesNo } from "../ask-line.ts";
import type { Io } from "../context.ts";

type Value = string | number | boolean | string[];
/** What a line typed by a person means for one field. */
type Reading = { kind: "value"; value: Value } | { kind: "again"; because: string };

/** A form of more fields than this is no question to a person. */
const maxFields = 50;

/**
 * Asks the person at the terminal what a tool wants to know (MCP form elicitation): whether to answer at
 * all, then field after field. Questions go to stderr, and all their text is the server's: whoever reads
 * is told who asks. The end of the input (Ctrl-D) cancels.
 * @param who the tool that asks, for the heading
 */
export function createAskPerson(
  io: Pick<Io, "stdin" | "note">,
  who: string,
  signal: AbortSignal,
): AskPerson {
  return async (params) => {
    const lines = openLines(io, signal);
    try {
      return await ask(
        params,
        lines,
        (line) => {
          io.note(line, { always: true });
        },
        who,
      );
    } finally {
      lines.close();
    }
  };
}

/** Declines what a tool wants to know where there is no terminal to ask on, and says so. */
export function createDecline(io: Pick<Io, "note">, who: string): AskPerson {
  return (params) => {
    const message = typeof params["message"] === "string" ? params["message"] : "";
    io.note(`${who} asks: ${oneLine(message, 1000)}\nDeclined: there is no terminal to answer on`);
    return Promise.resolve({ action: "decline" });
  };
}

interface Lines {
  /** Undefined at the end of the input. */
  next(): Promise<string | undefined>;
  close(): void;
}

function openLines(io: Pick<Io, "stdin">, signal: AbortSignal): Lines {
  const reader: Interface = createInterface({ input: io.stdin, terminal: false });
  const iterator = reader[Symbol.asyncIterator]();
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => {
      reject(abortReason(signal));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  aborted.catch(() => undefined);
  return {
    async next() {
      const line = await Promise.race([iterator.next(), aborted]);
      return line.done === true ? undefined : line.value;
    },
    close() {
      reader.close();
    },
  };
}

async function ask(
  params: JsonObject,
  lines: Lines,
  say: (line: string) => void,
  who: string,
): Promise<ElicitationAnswer> {
  const message = typeof params["message"] === "string" ? params["message"] : "";
  const schema = isJsonObject(params["requestedSchema"]) ? params["requestedSchema"] : {};
  const fields = Object.entries(isJsonObject(schema["properties"]) ? schema["properties"] : {});
  say(`${who} asks: ${oneLine(message, 1000)}`);
  if (fields.length > maxFields) {
    say(`It asks for ${fields.length} things at once; declined`);
    return { action: "decline" };
  }
  say("Answer? yes, no (decline) or Ctrl-D (cancel)");
  const consent = await lines.next();
  if (consent === undefined) return { action: "cancel" };
  if (readYesNo(consent) !== true) return { action: "decline" };

  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const content: [string, Value][] = [];
  for (const [name, field] of fields) {
    const answer = await askField(name, field, required.includes(name), lines, say);
    if (answer === "ended") return { action: "cancel" };
    if (answer !== "skipped") content.push([name, answer.value]);
  }
  return { action: "accept", content: Object.fromEntries(content) };
}

async function askField(
  name: string,
  field: Json,
  required: boolean,
  lines: Lines,
  say: (line: string) => void,
): Promise<{ value: Value } | "skipped" | "ended"> {
  const schema = isJsonObject(field) ? field : {};
  const preset = presetOf(schema);
  say(questionFor(name, schema, required, preset));
  for (;;) {
    const line = await lines.next();
    if (line === undefined) return "ended";
    if (line.trim() === "") {
      if (preset !== undefined) return { value: preset };
      if (!required) return "skipped";
      say("An answer is needed here");
      continue;
    }
    const reading = readAnswer(schema, line.trim());
    if (reading.kind === "value") return { value: reading.value };
    say(reading.because);
  }
}

function questionFor(
  name: string,
  schema: JsonObject,
  required: boolean,
  preset: Value | undefined,
): string {
  const label = typeof schema["title"] === "string" ? schema["title"] : name;
  const about = typeof schema["description"] === "string" ? ` (${schema["description"]})` : "";
  const choices = choicesOf(schema);
  const what =
    choices === undefined
      ? typeWord(schema)
      : `${schema["type"] === "array" ? "some, with commas, of" : "one of"} ${choices.join(", ")}`;
  const need =
    preset === undefined ? (required ? "" : "; Enter skips") : `; Enter for ${String(preset)}`;
  return oneLine(`${label}${about}: ${what}${need}`, 1000);
}

function typeWord(schema: JsonObject): string {
  if (schema["type"] === "boolean") return "yes or no";
  if (schema["type"] === "array") return "list";
  return typeof schema["type"] === "string" ? schema["type"] : "text";
}

function presetOf(schema: JsonObject): Value | undefined {
  const value = schema["default"];
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return Array.isArray(value) && value.every((entry) => typeof entry === "string")
    ? value
    : undefined;
}

/** The values of an enumeration in any of the forms of MCP (`enum`, titled `oneOf`, arrays of both). */
function choicesOf(schema: JsonObject): string[] | undefined {
  const source =
    schema["type"] === "array" && isJsonObject(schema["items"]) ? schema["items"] : schema;
  if (Array.isArray(source["enum"])) return source["enum"].map(String);
  const titled = source["oneOf"] ?? source["anyOf"];
  if (!Array.isArray(titled)) return undefined;
  return titled.flatMap((entry) =>
    isJsonObject(entry) && typeof entry["const"] === "string" ? [entry["const"]] : [],
  );
}

function readAnswer(schema: JsonObject, line: string): Reading {
  const choices = choicesOf(schema);
  const { type } = schema;
  if (type === "array") {
    const values = line.split(",").map((part) => part.trim());
    const wrong = choices && values.find((value) => !choices.includes(value));
    return wrong === undefined
      ? { kind: "value", value: values }
      : { kind: "again", because: `Only: ${oneLine((choices ?? []).join(", "))}` };
  }
  if (choices) {
    return choices.includes(line)
      ? { kind: "value", value: line }
      : { kind: "again", because: `One of: ${oneLine(choices.join(", "))}` };
  }
  if (type === "boolean") {
    const word = { true: true, false: false }[line.toLowerCase()] ?? readYesNo(line);
    return word === undefined
      ? { kind: "again", because: "yes or no" }
      : { kind: "value", value: word };
  }
  if (type === "number" || type === "integer") {
    const number = Number(line);
    const fits = type === "integer" ? Number.isSafeInteger(number) : Number.isFinite(number);
    return fits
      ? { kind: "value", value: number }
      : { kind: "again", because: `A${type === "integer" ? " whole" : ""} number` };
  }
  return { kind: "value", value: line };
}
