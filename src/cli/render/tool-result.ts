import { Buffer } from "node:buffer";
import { isJsonObject } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import type { CallToolResult } from "../../core/mcp.ts";
import { oneLine } from "../../core/terminal-text.ts";

/** One part of a tool's answer, as a command line can give it: text for stdout, or bytes for a file. */
export type ResultPart =
  | { kind: "text"; text: string }
  | {
      kind: "binary";
      bytes: Uint8Array;
      /** Foreign. */
      mimeType: string;
    };

/**
 * The parts of a tool's answer, in its order (MCP `ContentBlock`): text and text resources as text, images,
 * audio and blobs as bytes, links as a line that names them. What is of no kind known here is shown as its
 * JSON, and structured content is the answer when there is no other. Nothing is dropped.
 */
export function resultParts(result: CallToolResult): ResultPart[] {
  const { content, structuredContent } = result;
  const parts = Array.isArray(content) ? content.map((block) => partOf(block)) : [];
  if (parts.length > 0) return parts;
  if (structuredContent !== undefined) return [jsonPart(structuredContent)];
  // A result of an older or of a future protocol revision: better seen whole than not at all.
  return Array.isArray(content) ? [] : [jsonPart(result)];
}

function jsonPart(value: Json): ResultPart {
  return { kind: "text", text: JSON.stringify(value, null, 2) };
}

function partOf(block: Json): ResultPart {
  if (!isJsonObject(block)) return jsonPart(block);
  const { type, text, data, resource, uri } = block;
  if (type === "text" && typeof text === "string") return { kind: "text", text };
  if ((type === "image" || type === "audio") && typeof data === "string") {
    return binaryPart(data, block["mimeType"]) ?? jsonPart(block);
  }
  if (type === "resource" && isJsonObject(resource)) {
    if (typeof resource["text"] === "string") return { kind: "text", text: resource["text"] };
    if (typeof resource["blob"] === "string") {
      return binaryPart(resource["blob"], resource["mimeType"]) ?? jsonPart(block);
    }
  }
  if (type === "resource_link" && typeof uri === "string") {
    const names = [block["title"] ?? block["name"], block["description"], block["mimeType"]];
    const about = names.filter((name) => typeof name === "string").map((name) => oneLine(name));
    return { kind: "text", text: [oneLine(uri, 2000), ...about].join("  ") };
  }
  return jsonPart(block);
}

/** Undefined when this is no base64 (RFC 4648 §4, and its URL-safe form). */
function binaryPart(base64: string, mimeType: Json | undefined): ResultPart | undefined {
  const packed = base64.replaceAll(/\s/gu, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/u.test(packed)) return undefined;
  return {
    kind: "binary",
    bytes: Buffer.from(packed, "base64"),
    mimeType: typeof mimeType === "string" ? mimeType : "application/octet-stream",
  };
}
