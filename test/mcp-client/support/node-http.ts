import { request } from "node:http";
import type { SendHttp } from "../../../src/mcp-client/transport.ts";

/** One connection for each request, so that a test's server can be closed at any time. */
export const sendHttp: SendHttp = ({ method, url, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false });
    signal.addEventListener("abort", () => asked.destroy());
    if (signal.aborted) asked.destroy();
    asked.on("error", reject);
    asked.on("response", (answer) => {
      // Whoever reads it hears of its end while reading; Node may say it once more when nobody does.
      answer.on("error", () => undefined);
      const own = Object.entries(answer.headersDistinct).map(([name, values]) => [
        name,
        values?.join(", "),
      ]);
      resolve({
        status: answer.statusCode ?? 0,
        headers: Object.fromEntries(own),
        body: answer,
      });
    });
    asked.end(body);
  });
