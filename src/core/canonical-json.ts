import type { Json } from "./json.ts";

export interface CanonicalJson {
  text: string;
  /** How deep arrays and objects stand within each other; 0 for what is neither. */
  depth: number;
}

/** What is still to be written: a value, or a piece of text as it is. */
type Piece = { value: Json; depth: number } | string;

/**
 * The canonical form of RFC 8785: two values have the same text exactly when they are the same JSON, in whatever
 * order their members come. Numbers are written as ECMAScript does, names are in the order of their UTF-16 code
 * units. Halves of surrogate pairs, which the RFC has no form for, are escaped. Foreign values may be nested deeper
 * than any stack: nothing here calls itself.
 */
export function canonicalJson(json: Json): CanonicalJson {
  const written: string[] = [];
  const pieces: Piece[] = [{ value: json, depth: 0 }];
  let deepest = 0;
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    if (typeof piece === "string") {
      written.push(piece);
      continue;
    }
    const { value, depth } = piece;
    if (typeof value !== "object" || value === null) {
      written.push(JSON.stringify(value));
      continue;
    }
    const inside = depth + 1;
    deepest = Math.max(deepest, inside);
    // The last piece is written first.
    if (Array.isArray(value)) {
      pieces.push("]");
      for (let index = value.length - 1; index >= 0; index -= 1) {
        pieces.push({ value: value[index] ?? null, depth: inside }, index === 0 ? "" : ",");
      }
      written.push("[");
      continue;
    }
    const names = Object.keys(value).toSorted(byCodeUnits);
    pieces.push("}");
    for (let index = names.length - 1; index >= 0; index -= 1) {
      const name = names[index] ?? "";
      const before = index === 0 ? "" : ",";
      pieces.push(
        { value: value[name] ?? null, depth: inside },
        `${before}${JSON.stringify(name)}:`,
      );
    }
    written.push("{");
  }
  return { text: written.join(""), depth: deepest };
}

function byCodeUnits(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
