import * as fc from "fast-check";
import { countTokens as countWhole } from "gpt-tokenizer/encoding/o200k_base";
import { O200K_TOKEN_SPLIT_REGEX } from "gpt-tokenizer/encodingParams/constants";
import { expect, test } from "vitest";
import { createInspect } from "../../../src/cli/commands/inspect.ts";
import { createTokens } from "../../../src/cli/commands/mcp/tokens.ts";
import { createTokenCounter } from "../../../src/cli/tokens/count-tokens.ts";
import { longestWord, tokenPieces } from "../../../src/cli/tokens/token-pieces.ts";
import { discoverTools } from "../../../src/mcp/discover-tools.ts";
import { Bench, echoTool } from "../calling/bench.ts";

const small = { name: "a", inputSchema: {} };
const inspect = (bench: Bench, options: object): Promise<number | void> =>
  bench.run(createInspect(bench.source), { all: false, cost: true, ...options });

const countTokens = createTokenCounter(new AbortController().signal);

test("counts as the tokenizer does, special tokens as the text that they are", async () => {
  expect(await countTokens("hello world")).toBe(2);
  expect(await countTokens("")).toBe(0);
  expect(await countTokens("<|endoftext|>")).toBeGreaterThan(1);
  const prose = "It's 12345 words, \n\n  and_some – more: don't STOP; x = {y: [1, 2]}.  ".repeat(
    1000,
  );
  expect(await countTokens(prose)).toBe(countWhole(prose));
});

const endless = [
  "a",
  "A",
  "\u4e2d",
  "-",
  "_",
  "-_",
  "_-/",
  "/",
  " ",
  "ab!",
  "{}",
  "\n",
  "\u0301",
  "👍",
  "\ud800",
];
test.each(endless)("a word without an end: %j", async (part) => {
  const text = part.repeat(100_000 / part.length);
  const some = await countTokens(part.repeat(400 / part.length));
  const ratio = (await countTokens(text)) / some;
  expect(ratio).toBeGreaterThan(50);
  expect(ratio).toBeLessThan(800);
});

test("whatever a text is, the tokenizer gets no long word", () => {
  const run = fc
    .tuple(
      fc.constantFrom(
        ...endless,
        "é",
        "Aa",
        "a_",
        "'s",
        "1",
        "\t",
        "\r\n",
        "\u200b",
        "x".repeat(499),
      ),
      fc.integer({ min: 1, max: 40_000 }),
    )
    .map(([part, length]) => part.repeat(Math.ceil(length / part.length)));
  fc.assert(
    fc.property(fc.array(run, { maxLength: 5 }), (runs) => {
      const text = runs.join("");
      const pieces = [...tokenPieces(text)];
      expect(pieces.join("")).toBe(text);
      // What the tokenizer makes of each piece by itself.
      const words = pieces.flatMap((piece) =>
        Array.from(piece.matchAll(O200K_TOKEN_SPLIT_REGEX), ([word]) => word.length),
      );
      expect(Math.max(0, ...words)).toBeLessThanOrEqual(longestWord);
      // Words that are cut are cut into pieces of that length, and no text into more pieces than that makes.
      expect(pieces.length).toBeLessThanOrEqual(
        2 + 2 * runs.length + (text.length / longestWord) * 2,
      );
    }),
    { numRuns: 60 },
  );
});

test("who counts much can be ended in the midst of it", async () => {
  const controller = new AbortController();
  const counted = createTokenCounter(controller.signal)("one two three ".repeat(20_000));
  setImmediate(() => controller.abort(new Error("Ctrl-C")));
  await expect(counted).rejects.toThrow("Ctrl-C");
});

test("inspect --cost: a server's tools, the most costly first, its instructions and the sum", async () => {
  const bench = new Bench();
  bench.tools = [small, echoTool];
  const [one, other, said] = await Promise.all(
    [small, echoTool, "Be kind"].map((what) =>
      countTokens(typeof what === "string" ? what : JSON.stringify(what)),
    ),
  );
  await inspect(bench, { target: "everything" });
  expect(bench.stdout.replaceAll(/ +/gu, " ")).toBe(
    [
      "TOOL TOKENS",
      `echo ${other}`,
      `a ${one}`,
      `(instructions) ${said}`,
      `(all of this server) ${(one ?? 0) + (other ?? 0) + (said ?? 0)}`,
      "",
    ].join("\n"),
  );
  expect(bench.notes).toEqual([expect.stringContaining("o200k_base")]);
  bench.stdout = "";
  await inspect(bench, { target: "everything", format: "json" });
  expect(JSON.parse(bench.stdout)).toMatchObject({
    tokenizer: "o200k_base",
    tokens: { tools: (one ?? 0) + (other ?? 0), instructions: said },
    tools: [
      { name: "a", tokens: one },
      { name: "echo", tokens: other },
    ],
  });
});

test("inspect --cost: servers, and one tool", async () => {
  const bench = new Bench();
  await inspect(bench, { format: "json" });
  const tokens = await countTokens(JSON.stringify(echoTool));
  expect(JSON.parse(bench.stdout)).toMatchObject({
    servers: [{ name: "everything", tokens: { tools: tokens } }, { name: "down" }],
  });
  bench.stdout = "";
  await inspect(bench, { target: "everything/echo" });
  expect(bench.stdout).toBe(`echo: ${tokens} tokens\n`);
  await expect(inspect(bench, { format: "ts" })).rejects.toMatchObject({ code: "usage" });
});

test("mcp tokens: servers by cost, their sum, and what stands in place of the list", async () => {
  const bench = new Bench();
  await bench.run(createTokens(bench.source), { format: "json" });
  const tool = await countTokens(JSON.stringify(echoTool));
  const said = await countTokens("Be kind");
  expect(JSON.parse(bench.stdout)).toEqual({
    tokenizer: "o200k_base",
    total: tool + 2 * said,
    discover: discoverTools.reduce((sum, one) => sum + countWhole(JSON.stringify(one)), 0),
    instructions: countWhole("=== PLAYBOOK ===\n\u001b[31m"),
    servers: [
      {
        name: "everything",
        state: "ready",
        tokens: { tools: tool, instructions: said, total: tool + said },
        tools: [{ name: "echo", tokens: tool }],
      },
      {
        name: "down",
        state: "unavailable",
        tokens: { tools: 0, instructions: said, total: said },
        tools: [],
      },
    ],
  });
  bench.stdout = "";
  await bench.run(createTokens(bench.source), {});
  expect(bench.stdout).toMatch(/^NAME .*\neverything .*\ndown .*\n\(all\) /u);
  expect(bench.stdout).toContain("/mcp?mode=discover");
});
