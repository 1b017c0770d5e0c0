import { countValues } from "./message-limits.ts";

/** Cost of what a server may say of its own accord in a second; as much is free after a silence. */
const costPerSecond = 4 * 1024 * 1024;
/** Making a value of JSON takes about as long as copying so many bytes. */
const bytesPerValue = 16;

/** What a message costs us: its bytes, and its values as bytes. */
export function costOf(bytes: number, values: number): number {
  return bytes + values * bytesPerValue;
}

export function costOfText(text: string): number {
  return costOf(text.length, countValues(text));
}

/** Holds a server whose notifications and requests are large to a rest between them. */
export interface Pace {
  heard(cost: number): void;
  /** How long not to read from the server, in milliseconds. */
  restMs(): number;
}

export function createPace(now: () => number = () => performance.now()): Pace {
  let paidAtMs = 0;
  return {
    heard(cost) {
      paidAtMs = Math.max(paidAtMs, now()) + (cost / costPerSecond) * 1000;
    },
    restMs: () => Math.max(0, Math.ceil(paidAtMs - now() - 1000)),
  };
}
