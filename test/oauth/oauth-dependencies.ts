import { readFile } from "node:fs/promises";
import { askOAuth } from "../../src/client/ask-oauth.ts";
import type { OAuthAnswer, OAuthDependencies, OAuthRequest } from "../../src/oauth/oauth.ts";

export interface TestedDependencies extends OAuthDependencies {
  /** All that was said to be secret. */
  readonly learnt: readonly string[];
  /** All that was asked. */
  readonly asked: readonly OAuthRequest[];
}

/** Requests by the program's own way; keys from files. Waits end at once, and `now` moves on by them. */
export function createDependencies(
  changes: Partial<OAuthDependencies> & { nowMs?: number } = {},
): TestedDependencies {
  const learnt: string[] = [];
  const asked: OAuthRequest[] = [];
  let nowMs = changes.nowMs ?? Date.now();
  const ask = changes.ask ?? askOAuth;
  return {
    signal: new AbortController().signal,
    now: () => nowMs,
    wait: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    learn: (secret) => void learnt.push(secret),
    readKey: (path) => readFile(path, "utf8"),
    ...changes,
    ask: (request) => {
      asked.push(request);
      return ask(request);
    },
    learnt,
    asked,
  };
}

/** Answers of a server that is not there, by address; anything else is 404. */
export function answersFrom(
  answers: Readonly<Record<string, Partial<OAuthAnswer> | object>>,
): (request: OAuthRequest) => Promise<OAuthAnswer> {
  return ({ url }) => {
    const answer = answers[url];
    if (answer === undefined) return Promise.resolve({ status: 404, headers: {}, body: "" });
    if ("status" in answer || "body" in answer) {
      return Promise.resolve({ status: 200, headers: {}, body: "", ...answer });
    }
    return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify(answer) });
  };
}

/** What a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

/** Whether an MCP server takes a token. */
export async function takesToken(url: string, token: string): Promise<boolean> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  return response.status === 200;
}
