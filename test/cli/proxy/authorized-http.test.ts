import { describe, expect, it } from "vitest";
import {
  atFirstThatAnswers,
  createAuthorizedHttp,
} from "../../../src/cli/proxy/authorized-http.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { HttpAnswer, SendHttp } from "../../../src/mcp-client/transport.ts";

type Request = Parameters<SendHttp>[0];

function requestTo(url: string): Request {
  return {
    method: "POST",
    url: new URL(url),
    headers: { accept: "application/json" },
    body: "{}",
    signal: new AbortController().signal,
  };
}

/** Answers with what `statusOf` says, and remembers every request and which bodies were let go of. */
function fakeHttp(statusOf: (request: Request) => number) {
  const sent: Request[] = [];
  let open = 0;
  const send: SendHttp = (request) => {
    sent.push(request);
    open += 1;
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: true, value: undefined }),
        return: () => {
          open -= 1;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const answer: HttpAnswer = { status: statusOf(request), headers: {}, body };
    return Promise.resolve(answer);
  };
  return { send, sent, openAnswers: () => open };
}

/** A server that takes one bearer, and a key ring that has others. */
function bench(options: { good: string; first?: string; others: readonly (string | Error)[] }) {
  const http = fakeHttp(({ headers }) =>
    headers["authorization"] === `Bearer ${options.good}` ? 200 : 401,
  );
  const others = [...options.others];
  const said: string[] = [];
  const asked: (string | undefined)[] = [];
  const send = createAuthorizedHttp(
    http.send,
    {
      bearer: () => Promise.resolve(options.first),
      another(refused) {
        asked.push(refused);
        const next = others.shift();
        return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
      },
      refusal: () => new AppError("auth_rejected", "refused"),
    },
    { onRefused: () => said.push("refused"), onTaken: () => said.push("taken") },
  );
  return { send, http, said, asked };
}

describe("a request", () => {
  it("shows the bearer, beside its own headers", async () => {
    const { send, http, said } = bench({ good: "a", first: "a", others: [] });
    expect(await send(requestTo("http://x/mcp"))).toMatchObject({ status: 200 });
    expect(http.sent.map(({ headers }) => headers)).toEqual([
      { accept: "application/json", authorization: "Bearer a" },
    ]);
    expect(said).toEqual(["taken"]);
  });

  it("that is refused is sent once more with another bearer", async () => {
    const { send, http, said, asked } = bench({ good: "b", first: "a", others: ["b"] });
    expect(await send(requestTo("http://x/mcp"))).toMatchObject({ status: 200 });
    expect(http.sent.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer a",
      "Bearer b",
    ]);
    expect(http.sent[1]).toMatchObject({ method: "POST", body: "{}" });
    expect(asked).toEqual(["a"]);
    expect(said).toEqual(["taken"]);
    expect(http.openAnswers()).toBe(1);
  });

  it.each<[why: string, others: (string | Error)[]]>([
    ["there is no other bearer", []],
    ["the other one is refused too", ["c"]],
    ["the key ring fails", [new Error("locked")]],
  ])("is refused when %s, after one more at most", async (_why, others) => {
    const { send, http, said } = bench({ good: "b", first: "a", others });
    expect(await send(requestTo("http://x/mcp"))).toMatchObject({ status: 401 });
    expect(http.sent.length).toBeLessThanOrEqual(2);
    expect(said).toEqual(["refused"]);
  });

  it("is not sent while its bearer may not go anywhere", async () => {
    const http = fakeHttp(() => 200);
    const send = createAuthorizedHttp(
      http.send,
      {
        bearer: () => Promise.reject(new AppError("unreachable", "Your gateway is not running")),
        another: () => Promise.resolve(undefined),
        refusal: () => new AppError("auth_rejected", "refused"),
      },
      { onRefused: () => undefined, onTaken: () => undefined },
    );
    await expect(send(requestTo("http://x/mcp"))).rejects.toThrow("is not running");
    expect(http.sent).toEqual([]);
  });
});

function paths(sent: readonly Request[]): string[] {
  return sent.map(({ url }) => url.pathname);
}

describe("an endpoint that may be at two addresses", () => {
  const addresses = [new URL("http://x/"), new URL("http://x/mcp")];

  it("is looked for once", async () => {
    const { send, sent, openAnswers } = fakeHttp(({ url }) =>
      url.pathname === "/mcp" ? 200 : 404,
    );
    const found = atFirstThatAnswers(send, addresses);
    expect(await found(requestTo("http://x/"))).toMatchObject({ status: 200 });
    expect(await found(requestTo("http://x/"))).toMatchObject({ status: 200 });
    expect(paths(sent)).toEqual(["/", "/mcp", "/mcp"]);
    expect(openAnswers()).toBe(2);
  });

  it("is at the first where that answers anything else than that it is not there", async () => {
    const { send, sent } = fakeHttp(() => 400);
    const found = atFirstThatAnswers(send, addresses);
    await found(requestTo("http://x/"));
    await found(requestTo("http://x/"));
    expect(paths(sent)).toEqual(["/", "/"]);
  });

  it("keeps its place when it later says that a session is gone", async () => {
    let status = 200;
    const { send, sent } = fakeHttp(() => status);
    const found = atFirstThatAnswers(send, addresses);
    await found(requestTo("http://x/"));
    status = 404;
    expect(await found(requestTo("http://x/"))).toMatchObject({ status: 404 });
    expect(paths(sent)).toEqual(["/", "/"]);
  });

  it("gives the first answer where neither is there, and looks again", async () => {
    const { send, sent } = fakeHttp(({ url }) => (url.pathname === "/" ? 405 : 404));
    const found = atFirstThatAnswers(send, addresses);
    expect(await found(requestTo("http://x/"))).toMatchObject({ status: 405 });
    await found(requestTo("http://x/"));
    expect(paths(sent)).toEqual(["/", "/mcp", "/", "/mcp"]);
  });

  it("leaves other addresses alone", async () => {
    const { send, sent } = fakeHttp(() => 404);
    await atFirstThatAnswers(send, addresses)(requestTo("http://x/messages"));
    expect(paths(sent)).toEqual(["/messages"]);
  });
});
