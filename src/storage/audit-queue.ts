import type { AuditEvent } from "../core/audit.ts";
import { isJsonObject, parseJson } from "../core/json.ts";

/** What an event costs beside its texts: the object, ids, numbers. A rough figure, rather too high. */
const eventBytes = 512;

/** An event that waits: its parameters as one text, of which the length is known and which holds nothing else. */
interface WaitingEvent extends Omit<AuditEvent, "params"> {
  params: string;
}

/**
 * Events in the order they came, bounded by their number and by the memory they take. Their parameters are
 * kept as JSON: a small text that was cut out of a large one would keep the large one.
 */
export class AuditQueue {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #waiting: { event: WaitingEvent; bytes: number }[] = [];
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /**
   * @returns false when there is no room; the event is not taken then
   * @throws what `JSON.stringify` throws about parameters that are no JSON
   */
  add(event: AuditEvent): boolean {
    if (this.#waiting.length >= this.#maxCount) return false;
    const params = JSON.stringify(event.params);
    const bytes =
      eventBytes + 2 * (params.length + event.toolName.length + event.clientName.length);
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#waiting.push({ event: { ...event, params }, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The first events, at most so many and of so many bytes, but one at least. They stay until removed. */
  first(count: number, maxBytes: number): AuditEvent[] {
    const events: AuditEvent[] = [];
    let bytes = 0;
    for (const { event, bytes: own } of this.#waiting.slice(0, count)) {
      bytes += own;
      if (events.length > 0 && bytes > maxBytes) break;
      const params = parseJson(event.params);
      events.push({ ...event, params: isJsonObject(params) ? params : {} });
    }
    return events;
  }

  remove(count: number): void {
    for (const { bytes } of this.#waiting.splice(0, count)) this.#bytes -= bytes;
  }
}
