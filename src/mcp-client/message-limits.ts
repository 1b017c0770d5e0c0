/** What one message of an upstream may be, so that taking it off the wire never holds up the other servers for long. */
export const messageLimits = {
  /** What is longer ends the connection. */
  bytes: 16 * 1024 * 1024,
  /** Commas and opening brackets. JSON.parse makes an object of every `{}`: at this many it takes a fraction of a second. */
  values: 1_000_000,
  /** Levels of arrays and objects. What walks a value by recursion, JSON.stringify too, fails at some thousands. */
  depth: 512,
};

export interface ValueCounter {
  /** Those of the message so far. */
  count(): number;
  /** @returns whether the message still is within the limit */
  add(bytes: Uint8Array): boolean;
  /** The next message begins. */
  reset(): void;
}

const quote = 0x22;
const comma = 0x2c;
const openingBracket = 0x5b;
const backslash = 0x5c;
const openingBrace = 0x7b;
const newline = 0x0a;

/** Counts the values of a JSON text that comes in pieces, before they are made. */
export function createValueCounter(most: number): ValueCounter {
  let count = 0;
  let inString = false;
  let escaped = false;
  return {
    count: () => count,
    add(bytes) {
      for (const byte of bytes) {
        if (escaped) escaped = false;
        // A JSON string holds no line break: what is no JSON cannot hide what follows in a string.
        else if (byte === newline) inString = false;
        else if (byte === quote) inString = !inString;
        else if (inString) escaped = byte === backslash;
        else if (byte === comma || byte === openingBrace || byte === openingBracket) count++;
      }
      return count <= most;
    },
    reset() {
      count = 0;
      inString = false;
      escaped = false;
    },
  };
}

/** Whether arrays and objects are nested more than `most` levels; goes level by level, without recursion. */
export function isNestedBeyond(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      if (depth === most) return true;
      for (const inner of Object.values(item)) {
        if (typeof inner === "object" && inner !== null) next.push(inner);
      }
    }
    level = next;
  }
  return false;
}

/** As `createValueCounter`, for a text that is there as a whole. */
export function countValues(text: string): number {
  const values = createValueCounter(Number.POSITIVE_INFINITY);
  values.add(Buffer.from(text));
  return values.count();
}

/** Whether a text has more values than that, as `createValueCounter` counts them. */
export function hasMoreValuesThan(most: number, text: string): boolean {
  // Every value takes a character at least.
  if (text.length <= most) return false;
  const values = createValueCounter(most);
  return !values.add(Buffer.from(text));
}
