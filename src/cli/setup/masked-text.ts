import { replacePatterns } from "../../core/credential-forms.ts";
import { isOpaqueToken } from "../../core/opaque-token.ts";
import type { SetupForm } from "../../hosts/setup-client.ts";

const hidden = "…";
/** A key of an object may be a token itself, and a number a code. */
const shortestKey = 16;
const longestNumber = 5;

/**
 * A client's file as it may be shown: what we write ourselves, and of all else the keys alone, for values are secrets
 * as often as not. Line for line the same file.
 * @param own the values that may be seen
 */
export function maskedText(text: string, form: SetupForm, own: ReadonlySet<string>): string {
  switch (form.kind) {
    case "json":
      return replacePatterns(maskedJson(text, own));
    case "toml":
      return replacePatterns(
        text
          .split("\n")
          .map((line) => maskedTomlLine(line, own))
          .join("\n"),
      );
    case "block":
    case "document":
      return replacePatterns(text);
  }
}

function maskedJson(text: string, own: ReadonlySet<string>): string {
  const piece = /"(?:[^"\\\r\n]|\\.)*"|\/\/[^\r\n]*|\/\*[^]*?\*\/|-?\d[\d.eE+-]*/gu;
  return text.replace(piece, (found, offset: number) => {
    if (/^-?\d/u.test(found)) return found.length < longestNumber ? found : hidden;
    if (!found.startsWith('"')) return found.replaceAll(/[^\r\n]+/gu, `// ${hidden}`);
    const isKey = /^\s*:/u.test(text.slice(offset + found.length, offset + found.length + 100));
    const isShown = isKey ? !isOpaqueToken(found.slice(1, -1), shortestKey) : isOwn(found, own);
    return isShown ? found : `"${hidden}"`;
  });
}

function maskedTomlLine(written: string, own: ReadonlySet<string>): string {
  const [names = ""] = /^[^=]*/u.exec(written) ?? [];
  const shownNames = names.replaceAll(/[\w-]+/gu, (name) =>
    isOpaqueToken(name, shortestKey) ? hidden : name,
  );
  if (shownNames !== names) return hidden + (written.endsWith("\r") ? "\r" : "");
  const line = written;
  if (/^\s*(?:\[\[?[\w."' -]+\]\]?\s*)?$/u.test(line)) return line;
  const [, start, key, value] = /^(\s*([\w."'-]+)\s*=\s*)(.*)$/su.exec(line) ?? [];
  const end = line.endsWith("\r") ? "\r" : "";
  if (start === undefined || value === undefined) return hidden + end;
  const others = value.replace(/"(?:[^"\\]|\\.)*"/gu, (text) => (isOwn(text, own) ? "" : "?"));
  const isOurs = (key === "command" || key === "args") && /^[[\], \r]*$/u.test(others);
  return isOurs ? line : `${start}${hidden}${end}`;
}

function isOwn(literal: string, own: ReadonlySet<string>): boolean {
  try {
    return own.has(JSON.parse(literal));
  } catch {
    return false;
  }
}
