import { request as httpRequest } from "node:http";
import type { Agent as HttpAgent, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Agent as HttpsAgent } from "node:https";
import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { PinnedRequestOptions } from "./pinned-agent.ts";

export interface Answer {
  status: number;
  /** Empty when the answer was no JSON object. */
  body: JsonObject;
}

const maxAnswerBytes = 16 * 1024;

/**
 * Posts JSON by `node:http`, or `node:https` as the URL says: no redirect is followed, no proxy used, none of the `Sec-Fetch-*` headers
 * of `fetch` sent. The answer is foreign until its content has been proved.
 * @throws the socket's error, or what `signal` was aborted with; AppError `auth_rejected` when the answer is
 *   longer than 16 KiB
 */
export function postJson(
  url: string,
  body: JsonObject,
  options: { agent: HttpAgent | HttpsAgent; signal: AbortSignal },
): Promise<Answer> {
  const { agent, signal } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(signal.aborted ? signal.reason : error);
    const request = url.startsWith("https:") ? httpsRequest : httpRequest;
    const payload = Buffer.from(JSON.stringify(body));
    const asked: RequestOptions & PinnedRequestOptions = {
      method: "POST",
      agent,
      signal,
      abandoned: signal,
      headers: {
        "content-type": "application/json",
        "content-length": payload.length,
        accept: "application/json",
      },
    };
    const sent = request(url, asked, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxAnswerBytes) {
          response.destroy();
          reject(new AppError("auth_rejected", `What answers at ${url} is not your gateway`));
          return;
        }
        chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks)) }),
      );
      response.on("error", fail);
      response.on("close", () => fail(new Error("the connection ended before the answer")));
    });
    sent.on("error", fail);
    sent.end(payload);
  });
}

function parse(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
