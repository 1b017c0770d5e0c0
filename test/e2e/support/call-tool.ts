import { request } from "node:http";

/** A tool call over REST whose events come as they are sent. */
export interface StreamedCall {
  /** Resolves with the first event of this name. */
  event(name: "progress" | "result" | "error"): Promise<string>;
  /** Everything that was received, once the connection is closed. */
  readonly ended: Promise<string>;
}

/** Calls a tool as a program would that watches its progress (`Accept: text/event-stream`). */
export function streamToolCall(
  url: string,
  body: { server: string; tool: string; arguments: object },
): StreamedCall {
  let text = "";
  const lookers = new Set<() => void>();
  const ended = new Promise<string>((resolve, reject) => {
    const call = request(
      `${url}/api/v1/tools/call`,
      {
        method: "POST",
        headers: { "content-type": "application/json", accept: "text/event-stream" },
      },
      (response) => {
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          for (const look of lookers) look();
        });
        response.once("close", () => {
          resolve(text);
        });
      },
    );
    call.once("error", reject);
    call.end(JSON.stringify(body));
  });
  return {
    ended,
    event: (name) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = new RegExp(`^event: ${name}\\ndata: (.*)$`, "mu").exec(text);
          if (found !== null) resolve(found[1] ?? "");
        };
        lookers.add(look);
        look();
        const giveUp = (): void => {
          look();
          reject(new Error(`no ${name}: ${text}`));
        };
        void ended.then(giveUp, reject);
      }),
  };
}
