import { messageLimits } from "../mcp-client/message-limits.ts";
import type { StreamEvent } from "../mcp-client/read-event-stream.ts";

/**
 * Reads the events of a `text/event-stream` until `find` makes something of one, and no further. An event that
 * is cut off by the end of the stream is no event.
 * @param maxLength characters that one event may have; beyond it `tooLong` says what is thrown
 * @returns undefined when the stream ended before; throws what `find` or the stream throws
 */
export async function findInEvents<Found>(
  stream: AsyncIterable<Uint8Array>,
  find: (event: StreamEvent) => Found | undefined,
  { maxLength, tooLong }: { maxLength: number; tooLong: () => Error },
): Promise<Found | undefined> {
  // Most answers are no streams; what reads one is loaded for the first that is.
  const [{ readEventStream }, { MessageFault }] = await Promise.all([
    import("../mcp-client/read-event-stream.ts"),
    import("../mcp-client/read-messages.ts"),
  ]);
  let found: Found | undefined;
  async function* untilFound(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      yield chunk;
      if (found !== undefined) return;
    }
  }
  try {
    await readEventStream(
      untilFound(),
      { ...messageLimits, bytes: maxLength },
      {
        onEvent: (event) => void (found ??= find(event)),
        onRetry: () => undefined,
      },
    );
  } catch (error) {
    throw error instanceof MessageFault ? tooLong() : error;
  }
  return found;
}
