import { join } from "node:path";
import type { CallToolResult } from "../../core/mcp.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { ResultFormat } from "../command.ts";
import type { Context, Io } from "../context.ts";
import { jsonText } from "../render/json-text.ts";
import type { ShortPart } from "../render/short-result.ts";
import { resultParts } from "../render/tool-result.ts";
import type { ResultPart } from "../render/tool-result.ts";
import { makeRescueFolder, numberedPath, rescueName, saveFile } from "./save-binary.ts";

export interface PrintOptions {
  format: ResultFormat;
  raw: boolean;
  output?: string | undefined;
  /** The most characters of text that are printed, over all parts; not with json, and not with `raw`. */
  maxChars?: number | undefined;
}

type Showing = Pick<Context, "io" | "environment" | "onForcedEnd" | "signal" | "interrupt">;

type Binary = Extract<ResultPart, { kind: "binary" }>;

/**
 * Gives a tool's answer to the user; whatever goes wrong on the way, the answer is not lost.
 * - text: each text part on stdout, ended by a line end; images, audio and blobs into `--output`, or into
 *   files of a temporary folder that stderr names.
 *   On a terminal that can show images they are shown there instead, unless `--output` keeps them.
 * - compact and toon: as few characters as carry the answer (see `shortResult`); compact names binary parts, and keeps
 *   them with `--output` alone.
 * - `--raw`: every part's own bytes on stdout and nothing else: no line end added, nothing escaped. Binary
 *   parts go to `--output` where it is given, and never onto a terminal.
 * - `--json`: the MCP result as it came, on stdout; `--output` then keeps the binary parts as well.
 */
export async function printResult(
  result: CallToolResult,
  options: PrintOptions,
  context: Showing,
): Promise<void> {
  const { io } = context;
  const parts = resultParts(result);
  const binaries = parts.filter((part) => part.kind === "binary");
  if (options.format === "json" && !options.raw) {
    await io.out(jsonText(result, io), { exact: true });
    if (options.output !== undefined) await saveAll(binaries, result, options, io);
    return;
  }
  const inline = options.raw && options.output === undefined && !io.stdoutIsTerminal;
  const named = options.format === "compact" && options.output === undefined && !options.raw;
  if (!options.raw && (options.format !== "text" || options.maxChars !== undefined)) {
    await io.out(io.foreign(await shortText(result, parts, options, io)), { exact: true });
    if (!named) await saveAll(binaries, result, options, io);
  } else {
    for (const part of parts) {
      if (part.kind === "binary") {
        if (inline) await io.out(part.bytes);
      } else if (options.raw) {
        await io.out(part.text, { exact: true });
      } else {
        const text = io.foreign(part.text);
        await io.out(text.endsWith("\n") ? text : `${text}\n`, { exact: true });
      }
    }
    if (!inline) {
      await showAll(binaries, options, context, (left) => saveAll(left, result, options, io));
    }
  }
  if (parts.length === 0) io.note("The tool answered with nothing");
  else if (options.output !== undefined && binaries.length === 0) {
    io.note("--output: the answer holds no image, audio or blob; no file was written");
  }
}

/** The text of the answer where it is not simply all there is, with its line end. */
async function shortText(
  result: CallToolResult,
  parts: readonly ResultPart[],
  { format, maxChars }: PrintOptions,
  io: Io,
): Promise<string> {
  const { shortResult, cutText } = await import("./short-forms.ts");
  const shown = parts.flatMap((part): ShortPart[] => {
    if (part.kind === "text") return [part];
    return format === "compact" ? [{ kind: "name", text: nameOf(part) }] : [];
  });
  const texts =
    format === "compact" || format === "toon"
      ? shortResult(result, shown, format, io)
      : shown.map(({ text }) => text);
  const lines = texts.map((text) => (text.endsWith("\n") ? text : `${text}\n`));
  return cutText(lines.join(""), maxChars ?? Infinity);
}

/** Shows what the terminal can show; what is left is saved. */
async function showAll(
  binaries: readonly Binary[],
  { output, format, raw }: PrintOptions,
  context: Showing,
  save: (left: readonly Binary[]) => Promise<void>,
): Promise<void> {
  const mayShow = binaries.length > 0 && !raw && output === undefined && format === "text";
  if (!mayShow || !context.io.stdoutIsTerminal) return save(binaries);
  const { showImages } = await import("../images/show-images.ts");
  await showImages(binaries, context, save);
}

async function saveAll(
  binaries: readonly Binary[],
  result: CallToolResult,
  { output, format, raw }: PrintOptions,
  io: Io,
): Promise<void> {
  if (binaries.length === 0) return;
  try {
    const folder = output === undefined ? await makeRescueFolder() : undefined;
    for (const [index, { bytes, mimeType }] of binaries.entries()) {
      const path =
        output === undefined
          ? join(folder ?? "", rescueName(index, mimeType))
          : numberedPath(output, index);
      await saveFile(path, bytes);
      const chooses = output === undefined ? " (--output <file> chooses where)" : "";
      io.note(
        `${oneLine(mimeType, 80)}, ${sizeWords(bytes.length)}: ${quoteForShell(path)}${chooses}`,
        {
          always: output === undefined,
        },
      );
    }
  } catch (error) {
    // No place for the files: stdout is the last one, and the failure is told as well.
    if (format !== "json" || raw) await io.out(jsonText(result, io), { exact: true });
    throw error;
  }
}

/** A part that is no text, as a line of ours. */
function nameOf({ mimeType, bytes }: Binary): string {
  return `[${oneLine(mimeType, 80)} ${sizeWords(bytes.length)}]`;
}

function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
