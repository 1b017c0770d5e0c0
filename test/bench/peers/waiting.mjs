/** @typedef {import("../mcp-clients.mjs").Ask} Ask */
/** @typedef {ReturnType<typeof createWaiting>} Waiting */

const mostMs = 30_000;

/** Who waits for which answer, where all answers come the same way and not each on its own exchange. */
export function createWaiting() {
  /** @type {Map<number, (text: string) => void>} */
  const waiting = new Map();
  return {
    /** Hands a message to who waits for it; what nobody waits for is none of our business. @param {string} text */
    answered(text) {
      const { id, method } = JSON.parse(text);
      if (method === undefined) waiting.get(id)?.(text);
    },
    /** @param {number} id @returns {Promise<string>} the message that answers; rejects after half a minute */
    answerTo: (id) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          waiting.delete(id);
          reject(new Error("no answer within half a minute"));
        }, mostMs);
        waiting.set(id, (text) => {
          clearTimeout(limit);
          waiting.delete(id);
          resolve(text);
        });
      }),
    /** Nobody waits for it any more. @param {number} id */
    forget: (id) => waiting.get(id)?.(""),
  };
}

/**
 * Initializes a session of the legacy era.
 * @param {Waiting} waiting
 * @param {(body: string) => Promise<void>} send
 * @param {string} protocolVersion
 * @returns {Promise<Ask>}
 */
export async function handshake(waiting, send, protocolVersion) {
  let last = -1;
  /** @type {Ask} */
  const ask = async (method, params) => {
    const id = ++last;
    const answer = waiting.answerTo(id);
    try {
      await send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    } catch (error) {
      waiting.forget(id);
      throw error;
    }
    return { status: 200, headers: {}, text: await answer };
  };
  const { text } = await ask("initialize", {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: "bench", version: "1.0.0" },
  });
  if (!text.includes('"protocolVersion"'))
    throw new Error(`initialize was answered ${text.slice(0, 300)}`);
  await send(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
  return ask;
}
