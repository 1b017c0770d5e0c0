import { handshake, createWaiting } from "./waiting.mjs";

/**
 * Opens a session over HTTP+SSE (2024-11-05): requests are posted, answers come on one stream.
 * @param {import("../http-client.mjs").HttpClient} client the stream stays until it is closed
 * @param {string} path of the stream
 * @returns {Promise<import("../mcp-clients.mjs").Ask>}
 */
export async function openSseSession(client, path) {
  const waiting = createWaiting();
  /** @type {string} */
  const endpoint = await new Promise((resolve, reject) => {
    let rest = "";
    const opened = client.listen(path, { accept: "text/event-stream" }, (chunk) => {
      const events = (rest + chunk).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        const data = /^data: ?(.*)$/mu.exec(event)?.[1] ?? "";
        if (event.includes("event: endpoint")) resolve(data);
        else if (data !== "") waiting.answered(data);
      }
    });
    opened.catch(reject);
  });
  const headers = { "content-type": "application/json" };
  /** @param {string} body */
  const post = async (body) => {
    const { status, text } = await client.send("POST", endpoint, headers, body);
    if (status !== 202) throw new Error(`it was answered ${status} ${text.slice(0, 300)}`);
  };
  return await handshake(waiting, post, "2024-11-05");
}
