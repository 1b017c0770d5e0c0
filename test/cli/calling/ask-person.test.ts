import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createAskPerson } from "../../../src/cli/calling/ask-person.ts";
import type { ElicitationAnswer } from "../../../src/client/tool-server.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { pipeOf } from "./bench.ts";

const form: JsonObject = {
  message: "Who\nare you?",
  requestedSchema: {
    type: "object",
    properties: {
      name: { type: "string", title: "Your name", description: "as people say it" },
      age: { type: "integer" },
      member: { type: "boolean", default: true },
      level: { type: "string", enum: ["low", "high"] },
      titled: { type: "string", oneOf: [{ const: "a", title: "A" }] },
      tags: { type: "array", items: { enum: ["x", "y"] } },
    },
    required: ["name", "level"],
  },
};

async function answer(
  typed: string,
  params: JsonObject = form,
): Promise<{ answer: ElicitationAnswer; said: string[] }> {
  const said: string[] = [];
  const io = { stdin: pipeOf(typed), note: (line: string): void => void said.push(line) };
  const ask = createAskPerson(io, "srv/tool", new AbortController().signal);
  return { answer: await ask(params), said };
}

test("asks for consent, then field after field, and again where an answer does not fit", async () => {
  const lines = ["yes", "", "Ada", "x", "36", "", "medium", "high", "a", "x, z", "x, y", ""];
  const { answer: given, said } = await answer(lines.join("\n"));
  expect(given).toEqual({
    action: "accept",
    content: { name: "Ada", age: 36, member: true, level: "high", titled: "a", tags: ["x", "y"] },
  });
  expect(said).toEqual([
    "srv/tool asks: Who are you?",
    "Answer? yes, no (decline) or Ctrl-D (cancel)",
    "Your name (as people say it): string",
    "An answer is needed here",
    "age: integer; Enter skips",
    "A whole number",
    "member: yes or no; Enter for true",
    "level: one of low, high",
    "One of: low, high",
    "titled: one of a; Enter skips",
    "tags: some, with commas, of x, y; Enter skips",
    "Only: x, y",
  ]);
});

test("what may be left out is left out", async () => {
  const { answer: given } = await answer("y\nAda\n\nno\nlow\n\n\n");
  expect(given).toEqual({
    action: "accept",
    content: { name: "Ada", member: false, level: "low" },
  });
});

test.each([
  ["no\n", { action: "decline" }],
  ["\n", { action: "decline" }],
  ["maybe\n", { action: "decline" }],
  ["", { action: "cancel" }],
  ["yes\nAda\n", { action: "cancel" }],
])("%j is %j", async (typed, expected) => {
  expect((await answer(typed)).answer).toEqual(expected);
});

test("a confirmation has no fields; a form without end is declined", async () => {
  const confirmation = { message: "Sure?", requestedSchema: { type: "object", properties: {} } };
  expect((await answer("y\n", confirmation)).answer).toEqual({ action: "accept", content: {} });
  const properties = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}`, {}]));
  expect((await answer("y\n", { requestedSchema: { properties } })).answer).toEqual({
    action: "decline",
  });
});

test("an interruption ends the question", async () => {
  const controller = new AbortController();
  const interruption = new Error("interrupted");
  const io = { stdin: new PassThrough(), note: (): void => controller.abort(interruption) };
  const ask = createAskPerson(io, "srv/tool", controller.signal);
  await expect(ask(form)).rejects.toBe(interruption);
});
