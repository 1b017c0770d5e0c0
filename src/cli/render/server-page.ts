import type { ServerPage } from "../../client/tool-server.ts";
import type { Tool } from "../../core/mcp.ts";
import { cutInstructions } from "../../core/render-instructions.ts";
import { toolSignature } from "../../core/signature.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { foldLines } from "./fold-lines.ts";
import { indented, inLine } from "./foreign-text.ts";
import type { Page } from "./foreign-text.ts";
import type { OnePage } from "./one-page.ts";
import { otherKinds, serverRowJson } from "./server-list.ts";

/** Lines of instructions on a page for people; `agent instructions` and `--json` have more of them. */
const shownInstructionLines = 10;
/** Lines of standard error on a page for people; `--json` has all that the gateway kept. */
const shownStderrLines = 10;

/**
 * `inspect <server> --json`: a server's row (see `serverRowJson`) and
 * `{serverInfo: {name, version}|null, instructions: string|null, stderrTail: [string], problems: [string],
 * withheld: how much waits for an approval (from a gateway), changes: [as agent mcp approve --json] (to who manages it),
 * tools: [{signature, …the tool as its server sent it}], nextCursor: string|null}`.
 */
export function serverPageJson(
  server: ServerPage,
  page: OnePage<Tool>,
  prefix: string | undefined,
): object {
  return {
    ...serverRowJson(server),
    serverInfo: server.serverInfo ?? null,
    // From a server that is asked without a gateway they come as it sent them.
    instructions: server.instructions === undefined ? null : cutInstructions(server.instructions),
    stderrTail: server.stderrTail,
    problems: server.problems ?? [],
    ...(server.withheld !== undefined && { withheld: server.withheld }),
    ...(server.changes !== undefined && { changes: server.changes }),
    tools: page.entries.map((tool) =>
      Object.assign({ signature: toolSignature(prefix, tool) }, tool),
    ),
    nextCursor: page.nextCursor ?? null,
  };
}

/** A server for people: its state, each tool as a line to paste into `run`, and what it said. */
export function serverPageText(
  server: ServerPage,
  page: OnePage<Tool>,
  prefix: string | undefined,
  io: Page,
): string {
  const { name, state, reason, serverInfo, tags, instructions, stderrTail, problems = [] } = server;
  const facts = [
    state === "ready" ? ["ready", ...countsOf(server)].join(", ") : state,
    ...(serverInfo ? [inLine(`${serverInfo.name} ${serverInfo.version}`, io, 100)] : []),
    ...(tags.length > 0 ? [`tags ${inLine(tags.join(","), io, 100)}`] : []),
  ];
  const parts = [
    `${inLine(name, io, 100)}: ${facts.join("; ")}\n`,
    ...(reason === undefined ? [] : [`Reason: ${inLine(reason, io, 1000)}\n`]),
    ...(page.entries.length === 0 ? [] : ["\n"]),
    ...page.entries.map((tool) => toolLines(tool, prefix, io)),
    ...(problems.length === 0
      ? []
      : ["\nNot everything is shown to clients:\n", indented(problems.join("\n"), io, "| ")]),
    ...(instructions?.trim() ? ["\nSaid by the server:\n", firstLines(instructions, io)] : []),
    ...(stderrTail.length === 0 ? [] : ["\nLast lines of its stderr:\n", tail(stderrTail, io)]),
  ];
  return parts.join("");
}

function countsOf({ toolCount, counts }: ServerPage): string[] {
  const others = otherKinds.flatMap(({ kind, one, many }) => {
    const count = counts?.[kind] ?? 0;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  return [`${toolCount} ${toolCount === 1 ? "tool" : "tools"}`, ...others];
}

function firstLines(instructions: string, io: Page): string {
  const lines = cutInstructions(instructions).trim().split("\n");
  const more = lines.length - shownInstructionLines;
  const rest = more > 0 ? `(${more} more lines: agent instructions)\n` : "";
  return indented(lines.slice(0, shownInstructionLines).join("\n"), io, "| ") + rest;
}

/** The end of what a server said, each thing once. */
function tail(stderrTail: readonly string[], io: Page): string {
  const shown: string[] = [];
  let room = shownStderrLines;
  for (const { lines, times } of foldLines(stderrTail).toReversed()) {
    if (room <= 0) break;
    const what = lines.length === 1 ? "line" : `${lines.length} lines`;
    if (times > 1) shown.unshift(`(the same ${what} ${times} times)\n`);
    shown.unshift(indented(lines.slice(-room).join("\n"), io, "| "));
    room -= lines.length;
  }
  return shown.join("");
}

function toolLines(tool: Tool, prefix: string | undefined, io: Page): string {
  const description = typeof tool["description"] === "string" ? tool["description"] : "";
  // Names are quoted for the shell, which escapes what a terminal would act on; the rest is ours.
  const about = description.trim() === "" ? "" : indented(oneLine(description, 200), io, "    ");
  return `${toolSignature(prefix, tool)}\n${about}`;
}
