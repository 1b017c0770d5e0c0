import type { ToolCall, ToolServer } from "../../client/tool-server.ts";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { CallToolResult, Tool } from "../../core/mcp.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { createAskPerson, createDecline } from "../calling/ask-person.ts";
import { parseArguments, readArgsOption, readPairs } from "../calling/given-arguments.ts";
import type { GivenArguments } from "../calling/given-arguments.ts";
import { inProject, realSource, withServer } from "../calling/open-server.ts";
import { sameServer } from "../same-server.ts";
import type { CallingOptions, ServerSource } from "../calling/open-server.ts";
import { readPipedInput } from "../calling/piped-input.ts";
import { printResult } from "../calling/print-result.ts";
import { checkOutput } from "../calling/save-binary.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { isPiped } from "../is-piped.ts";
import { globalOptions, selectionOptions } from "../options.ts";
import { progressBar } from "../render/progress-bar.ts";
import type { SelectionOptions } from "../selection/chosen-servers.ts";

interface RunOptions extends SelectionOptions {
  target: string;
  arguments: readonly string[];
  args?: string | undefined;
  raw: boolean;
  output?: string | undefined;
  maxChars?: number | undefined;
}

/** Tools may work for a while; what they report extends it. */
const defaultTimeoutMs = 120_000;

export function createRun(source: ServerSource): CommandModule<RunOptions> {
  return {
    options: {
      ...selectionOptions,
      format: {
        ...globalOptions.format,
        choices: ["text", "json", "compact", "toon"],
        describe: "Form of the result; compact and toon cost a language model the least",
      },
      maxChars: {
        type: "number",
        placeholder: "<n>",
        describe: "Print at most so many characters of text, and a line that says so",
      },
      args: {
        type: "string",
        placeholder: "<json|@file|->",
        describe: "Arguments as a JSON object, from a file, or from stdin",
      },
      raw: {
        type: "boolean",
        describe: "The answer's own bytes: no line end added, nothing escaped",
      },
      output: {
        type: "string",
        alias: "o",
        placeholder: "<file>",
        describe: "Keep images, audio and blobs here (a second one gets -2, and so on)",
      },
    },
    positionals: [
      { name: "target", describe: "<server>/<tool>", required: true },
      {
        name: "arguments",
        describe: "key=value (typed by the tool's schema) or key:=<json>",
        variadic: true,
      },
    ],
    talksToServer: true,
    defaultTimeoutMs: () => defaultTimeoutMs,
    examples: [
      ["agent run everything/echo message=hello", "an argument as text"],
      ["agent run everything/get-sum a=1 b=2", "numbers are typed by the tool's schema"],
      [`agent run everything/echo --args '{"message": "hello"}'`, "all arguments as JSON"],
      ["date | agent run everything/echo", "piped text fills the one required string"],
      ["agent run everything/get-tiny-image --output logo.png", "keep an image"],
      ["agent run everything/get-sum a=1 b=2 --json | jq .content", "the whole result"],
      [
        "agent run memory/read_graph --format compact --max-chars 4000",
        "no more than that, for an agent",
      ],
    ],
    async run(options, context) {
      // What is wrong with the command line is said before anybody is asked.
      const given = withWhole(await readArgsOption(options.args), readPairs(options.arguments));
      checkMaxChars(options);
      if (options.output !== undefined) await checkOutput(options.output);
      const calling: Options = await inProject(options, context, source);
      const result = await withServer(calling, context, source, (server) =>
        callOn(server, given, options, context),
      ).catch(async (error: unknown) => {
        if (calling.selection === undefined) throw error;
        const { leftOut } = await import("../selection/left-out.ts");
        throw leftOut(error, options.target, calling.selection);
      });
      await printResult(result, options, context);
      if (result["isError"] === true) {
        throw new AppError("tool_error", `${quoteForShell(options.target)} reported an error`);
      }
    },
  };
}

export const command = createRun(realSource);

type Options = RunOptions & CallingOptions;

/** @throws AppError `usage` */
function checkMaxChars({ maxChars, raw, format }: Options): void {
  if (maxChars === undefined) return;
  if (!Number.isSafeInteger(maxChars) || maxChars < 1) {
    throw new AppError("usage", "--max-chars must be a whole number from 1");
  }
  if (raw || format === "json") {
    throw new AppError(
      "usage",
      `--max-chars does not go with ${raw ? "--raw" : "--json"}, which is never cut`,
      { hint: "--format compact" },
    );
  }
}

async function callOn(
  server: ToolServer,
  given: GivenArguments,
  options: Options,
  context: Context,
): Promise<CallToolResult> {
  const target = await server.resolve(options.target);
  if (target.tool === undefined) throw await notATool(options, server);
  const { tool } = target;
  const input = await completeArguments(given, options, context, () =>
    server.tool(target.server, tool),
  );
  const { io, deadline } = context;
  const what = quoteForShell(options.target);
  let spinner = io.spin(what);
  const person = createAskPerson(io, what, deadline.signal);
  const call: ToolCall = {
    ...input,
    signal: deadline.signal,
    timeoutMs: deadline.timeoutMs,
    onDoubt(sentence) {
      io.note(sentence);
    },
    onProgress(progress) {
      deadline.extend();
      spinner.update(progressBar(what, progress, io.columns));
    },
    onElicitation: hasPerson(context)
      ? (params) =>
          deadline.outside(async () => {
            spinner.stop();
            try {
              return await person(params);
            } finally {
              spinner = io.spin(what);
            }
          })
      : createDecline(io, what),
  };
  try {
    return await server.call(target.server, tool, call);
  } catch (error) {
    throw withToolHint(error, options);
  } finally {
    spinner.stop();
  }
}

/** Whoever gave wrong arguments wants to see what the tool takes. */
function withToolHint(error: unknown, options: Options): unknown {
  if (!(error instanceof AppError) || error.code !== "usage" || error.hint !== undefined)
    return error;
  return new AppError("usage", error.message, {
    hint: `agent inspect ${quoteForShell(options.target)}${sameServer(options)}`,
    cause: error,
  });
}

async function notATool(options: Options, server: ToolServer): Promise<AppError> {
  const { meantTool } = await import("../calling/meant-tool.ts");
  const word = options.target.replace(/\/$/u, "");
  const named = quoteForShell(word);
  return new AppError("usage", `${named} names no tool: a tool is <server>/<tool>`, {
    hint: await meantTool(word, server, sameServer(options)),
  });
}

/** The arguments of the call: from the command line, or else from what is piped in. */
async function completeArguments(
  given: GivenArguments,
  options: Options,
  context: Context,
  findTool: () => Promise<Tool>,
): Promise<Pick<ToolCall, "arguments" | "untyped" | "text">> {
  if (options.args === "-") {
    return withWhole(parseArguments(await readAllOfStdin(context), "stdin"), given);
  }
  if (options.args !== undefined || options.arguments.length > 0 || !isPiped(context.io.stdin))
    return given;
  const piped = await context.deadline.outside(() =>
    readPipedInput({
      io: context.io,
      signal: context.signal,
      limitMs: context.deadline.timeoutMs,
      onSilent: () => onSilence(findTool, context),
    }),
  );
  return { ...given, ...readPipedText(piped ?? "") };
}

/** Pairs win over the same names in `--args`. */
function withWhole(whole: JsonObject | undefined, pairs: GivenArguments): GivenArguments {
  return { arguments: { ...whole, ...pairs.arguments }, untyped: pairs.untyped };
}

async function readAllOfStdin(context: Context): Promise<string> {
  const text = await context.deadline.outside(() =>
    readPipedInput({
      io: context.io,
      signal: context.signal,
      limitMs: context.deadline.timeoutMs,
      onSilent() {
        context.io.note("Waiting for the arguments on stdin");
        return Promise.resolve("wait");
      },
    }),
  );
  return text ?? "";
}

/** A read tool that needs nothing is called without stdin; anything else had better wait for it. */
async function onSilence(
  findTool: () => Promise<Tool>,
  { io }: Context,
): Promise<"wait" | "go-on"> {
  const { inputSchema, annotations } = await findTool();
  const required = inputSchema["required"];
  const needsNothing = !Array.isArray(required) || required.length === 0;
  const reads =
    isJsonObject(annotations) &&
    annotations["readOnlyHint"] === true &&
    annotations["destructiveHint"] !== true;
  if (needsNothing && reads) {
    io.note("stdin is silent: called without arguments (</dev/null says so at once)");
    return "go-on";
  }
  io.note("Waiting for the arguments on stdin (</dev/null when there are none)");
  return "wait";
}

/**
 * Piped text as arguments: a JSON object is all of them, other text is left to the tool's schema. Nothing
 * but white space is nothing. The line end that `echo` adds to a single line is not part of it.
 */
function readPipedText(text: string): { arguments?: GivenArguments["arguments"]; text?: string } {
  if (text.trim() === "") return {};
  const whole = jsonObjectIn(text);
  if (whole) return { arguments: whole };
  const line = /^([^\r\n]*)\r?\n$/u.exec(text)?.[1];
  return { text: line ?? text };
}

function jsonObjectIn(text: string): GivenArguments["arguments"] | undefined {
  const json = text.replace(/^\ufeff/u, "").trim();
  if (!json.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
