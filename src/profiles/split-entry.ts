import { createHash } from "node:crypto";
import type { KeychainEntry } from "./keychain-entry.ts";

/** Of an entry whose text lies in parts. A text that begins so itself is put into parts as well. */
const mark = "od1parts ";
const headForm = /^od1parts ([ab]) (\d{1,3}) ([\da-f]{16})$/u;
/** How often a text is looked for that is replaced while it is read. */
const readAttempts = 3;
type Slot = "a" | "b";

/**
 * One entry that takes texts of any length, over entries that take at most `limit` UTF-16 units each. A longer text
 * lies in parts, in entries of their own; the entry itself names them and tells their hash, and is written last, so
 * that a write that was cut off leaves the earlier text. Parts that do not fit together are no text.
 * @param open an entry by its account; parts are `<account>.<slot><index>`
 */
export function splitEntry(
  open: (account: string) => KeychainEntry,
  account: string,
  limit: number,
): KeychainEntry {
  const head = open(account);
  const part = (slot: Slot, index: number): KeychainEntry => open(`${account}.${slot}${index}`);

  /** From the last to the first, so that what a killed process leaves has no gaps. */
  async function clear(slot: Slot, least = 0): Promise<boolean> {
    let count = least;
    while ((await part(slot, count).getPassword()) !== null) count += 1;
    let removed = false;
    for (let index = count - 1; index >= 0; index -= 1) {
      removed = (await part(slot, index).deletePassword()) || removed;
    }
    return removed;
  }

  /** Null where the parts that the entry names are not there, or do not fit together. */
  async function join(entry: string): Promise<string | null> {
    const [, slot, count, hash] = headForm.exec(entry) ?? [];
    if (slot !== "a" && slot !== "b") return null;
    const parts: string[] = [];
    for (let index = 0; index < Number(count); index += 1) {
      const found = await part(slot, index).getPassword();
      if (found === null) return null;
      parts.push(found);
    }
    const whole = parts.join("");
    return hashOf(whole) === hash ? whole : null;
  }

  return {
    async getPassword() {
      // Beside a writer the parts go while they are read: the entry names others then.
      let before: string | null = null;
      for (let left = readAttempts; left > 0; left -= 1) {
        const text = await head.getPassword();
        if (text === null || !text.startsWith(mark)) return text;
        if (text === before) return null;
        const whole = await join(text);
        if (whole !== null) return whole;
        before = text;
      }
      return null;
    },
    async setPassword(secret) {
      if (secret.length <= limit && !secret.startsWith(mark)) {
        await head.setPassword(secret);
        await clear("a");
        await clear("b");
        return;
      }
      const live = headForm.exec((await head.getPassword()) ?? "")?.[1];
      const [slot, other] = live === "a" ? (["b", "a"] as const) : (["a", "b"] as const);
      await clear(slot);
      const parts = split(secret, limit);
      for (const [index, text] of parts.entries()) await part(slot, index).setPassword(text);
      await head.setPassword(`${mark}${slot} ${parts.length} ${hashOf(secret)}`);
      await clear(other);
    },
    async deletePassword() {
      // Where somebody took a part away, the others are found by what the entry tells of them.
      const [, slot, told] = headForm.exec((await head.getPassword()) ?? "") ?? [];
      const least = (of: Slot): number => (slot === of ? Number(told) : 0);
      const parts = [await clear("a", least("a")), await clear("b", least("b"))];
      return (await head.deletePassword()) || parts.includes(true);
    },
  };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Never within a surrogate pair: each half alone would not survive its way through UTF-8. */
function split(text: string, limit: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length;) {
    const end = Math.min(from + limit, text.length);
    const cutsPair = end < text.length && /[\uD800-\uDBFF]/u.test(text.charAt(end - 1));
    const to = cutsPair ? end - 1 : end;
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}
