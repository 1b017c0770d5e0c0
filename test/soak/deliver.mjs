import { connect } from "node:net";
import { pause } from "./processes.mjs";
import { exchange, Hang } from "./wire.mjs";

/** No exchange may take longer, an upstream's time limit included. */
const longestMs = 20_000;

/**
 * Sends it; undefined where the connection was to be cut.
 * @param {string} url @param {import("./right-messages.mjs").Fuzz} fuzz
 * @returns {Promise<import("./wire.mjs").Answer | undefined>}
 */
export async function deliver(url, fuzz) {
  const { path = "/mcp", method = "POST", headers, body, cutAfter, stream } = fuzz;
  if (cutAfter !== undefined) {
    await sendAndCut(url, `${method} ${path} HTTP/1.1\r\n`, fuzz, cutAfter);
    return undefined;
  }
  const end = new AbortController();
  // A stream without end is a right answer to some of these: a moment of it is enough.
  const timer = stream === true ? setTimeout(() => end.abort(), 1500) : undefined;
  try {
    const answer = await exchange(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
      timeoutMs: longestMs,
      ...(stream === true && { signal: end.signal, onMessage: () => end.abort() }),
    });
    await endSession(url, fuzz, answer);
    return answer;
  } catch (error) {
    // The gateway may refuse a large body without reading it to its end.
    if (fuzz.kind === "too large" && !(error instanceof Hang)) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Sessions that wrong messages opened are mostly ended again; some are left, as clients do.
 * @param {string} url @param {import("./right-messages.mjs").Fuzz} fuzz @param {import("./wire.mjs").Answer | undefined} answer
 */
async function endSession(url, { headers }, answer) {
  const id = answer?.headers["mcp-session-id"];
  if (id === undefined || headers["mcp-session-id"] === id || String(id).endsWith("0")) return;
  await exchange(`${url}/mcp`, {
    method: "DELETE",
    headers: { authorization: headers["authorization"], "mcp-session-id": id },
  });
}

/** @param {string} url @param {string} start @param {import("./right-messages.mjs").Fuzz} fuzz @param {number} bytes */
async function sendAndCut(url, start, { headers, body = "" }, bytes) {
  const { hostname, port, host } = new URL(url);
  const lines = Object.entries({ host, ...headers, "content-length": Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join("");
  const whole = Buffer.concat([Buffer.from(`${start}${head}\r\n`), Buffer.from(body)]);
  const socket = connect(Number(port), hostname);
  await new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      // The gateway may be quicker to refuse it than we are to write.
      socket.off("error", reject).on("error", resolve);
      socket.write(whole.subarray(0, bytes), resolve);
    });
  });
  if (bytes >= whole.length) await pause(bytes % 30);
  socket.destroy();
}
