import { request } from "node:http";
import type { IncomingHttpHeaders, RequestOptions } from "node:http";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCallbackListener } from "../../../../src/cli/sign-in/web/callback-listener.ts";
import type { CallbackListener } from "../../../../src/cli/sign-in/web/callback-listener.ts";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

let listener: CallbackListener;
let uninvited: string[];

beforeEach(async () => {
  uninvited = [];
  listener = await startCallbackListener(0, (who) => uninvited.push(who));
});

afterEach(() => {
  listener.close();
});

/** Plain HTTP, with whatever a browser would never send. */
async function ask(path: string, options: RequestOptions = {}): Promise<Answer> {
  const asked = request({ host: "127.0.0.1", port: listener.port, path, ...options });
  const answered = once(asked, "response");
  asked.end();
  const [answer] = await answered;
  let body = "";
  for await (const chunk of answer) body += String(chunk);
  return { status: answer.statusCode, headers: answer.headers, body };
}

const good = "/callback?code=the-code&state=right&iss=https%3A%2F%2Fas.example";

describe("the answer that is waited for", () => {
  it("is taken with its whole query, leaves the address bar, and gets a page when all is over", async () => {
    const answer = listener.answerTo("right");
    const redirect = await ask(good);
    expect(redirect).toMatchObject({ status: 303, body: "" });
    const { location = "" } = redirect.headers;
    expect(location).toMatch(/^\/result\/[\w-]{43}$/u);
    expect(redirect.headers["cache-control"]).toBe("no-store");
    expect(redirect.headers["referrer-policy"]).toBe("no-referrer");
    expect((await answer).href).toBe(`http://127.0.0.1:${listener.port}${good}`);

    // Nobody else sees it, nor takes it away.
    expect((await ask("/result")).status).toBe(404);
    expect((await ask(`${location.slice(0, -1)}!`)).status).toBe(404);
    const page = ask(location);
    await listener.show("<p>over</p>");
    expect(await page).toMatchObject({ status: 200, body: "<p>over</p>" });
    listener.close();
    await expect(ask(location)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("may come for its page only after all is over", async () => {
    const answer = listener.answerTo("right");
    const { location = "" } = (await ask(good)).headers;
    await answer;
    const shown = listener.show("<p>over</p>");
    expect((await ask(location)).body).toBe("<p>over</p>");
    await shown;
  });

  it("may be an error, and may lack everything but the state: whoever knows that speaks for the server", async () => {
    const answer = listener.answerTo("right");
    expect((await ask("/callback?error=access_denied&state=right")).status).toBe(303);
    expect((await answer).searchParams.get("error")).toBe("access_denied");
  });
});

describe("what anybody can send", () => {
  it.each([
    ["another state", "/callback?code=x&state=wrong"],
    ["no state", "/callback?code=x"],
    ["an empty state", "/callback?code=x&state="],
    ["two states", "/callback?code=x&state=right&state=wrong"],
    ["the state twice", "/callback?code=x&state=right&state=right"],
    ["nothing", "/callback"],
    ["an error without the state", "/callback?error=access_denied&error_description=%3Cb%3E"],
  ])("is turned away, and waits on: %s", async (_name, path) => {
    const answer = listener.answerTo("right");
    const page = await ask(path);
    expect(page.status).toBe(400);
    expect(page.body).toContain("This was not expected");
    expect(page.body).not.toContain("&lt;b");
    expect(uninvited).toEqual(["stray"]);
    expect(listener.strays).toBe(1);
    await ask(good);
    expect((await answer).searchParams.get("code")).toBe("the-code");
  });

  it("is nothing before a state is waited for", async () => {
    expect((await ask("/callback?code=x&state=undefined")).status).toBe(400);
    expect((await ask("/callback?code=x&state=")).status).toBe(400);
  });

  it.each<[string, number, string, RequestOptions]>([
    ["the root", 404, "/", {}],
    ["an icon", 404, "/favicon.ico", {}],
    ["a path below", 404, "/callback/", {}],
    ["a path by detours", 404, "/callback/../callback?state=right", {}],
    ["two slashes", 404, "//evil.example/callback?state=right", {}],
    ["a whole address", 404, "http://127.0.0.1/callback?state=right", {}],
    ["the last page, before any answer", 404, "/result", {}],
    ["POST", 405, good, { method: "POST" }],
    ["OPTIONS", 405, good, { method: "OPTIONS" }],
    ["HEAD", 405, good, { method: "HEAD" }],
    ["another host", 403, good, { headers: { host: "evil.example" } }],
    ["another name of this host", 403, good, { headers: { host: "localhost" } }],
    ["this host without its port", 403, good, { headers: { host: "127.0.0.1" } }],
    ["a long address", 414, `${good}&more=${"x".repeat(9000)}`, {}],
    ["long headers", 431, good, { headers: { cookie: "x".repeat(70_000) } }],
  ])("is answered with an error: %s, %i", async (_name, status, path, options) => {
    let taken = false;
    void listener.answerTo("right").then(() => (taken = true));
    const answer = await ask(path, options);
    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(status === 405 ? "GET" : undefined);
    expect(taken).toBe(false);
    expect(uninvited).toEqual([]);
  });
});

/** What connections send by hand, and get. */
async function connection(text: string): Promise<{ socket: Socket; closed: Promise<string> }> {
  const socket = connect(listener.port, "127.0.0.1");
  let got = "";
  const closed = new Promise<string>((resolve) => {
    socket
      .on("data", (data) => (got += data.toString()))
      .on("error", () => undefined)
      .on("close", () => resolve(got));
  });
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return { socket, closed };
}

describe("who holds on to it", () => {
  it("does not keep the answer out: the oldest that has asked for nothing makes room", async () => {
    const held = [];
    for (let count = 0; count < 64; count += 1) held.push(await connection("GET /callback"));
    const answer = listener.answerTo("right");
    expect((await ask(good)).status).toBe(303);
    expect((await answer).searchParams.get("code")).toBe("the-code");
    expect(await held[0]?.closed).toBe("");
    expect(held.slice(1).filter(({ socket }) => socket.destroyed)).toEqual([]);
  });

  it("asks once on a connection, and waits for the last page a few times at most", async () => {
    const answer = listener.answerTo("right");
    const { location = "" } = (await ask(good)).headers;
    await answer;
    const again = `GET ${location} HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n\r\n`;
    const greedy = await connection(again.repeat(1000));
    expect(await greedy.closed).toBe("");
    const pages = [0, 1, 2, 3, 4].map(() => ask(location));
    expect((await Promise.race(pages)).status).toBe(429);
    await listener.show("<p>over</p>");
    const statuses = (await Promise.all(pages)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
  });
});

describe("its end", () => {
  it("is not held up by connections that linger", async () => {
    const socket = connect(listener.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /callback HTTP/1.1\r\n");
    const closed = new Promise((resolve) => {
      socket.on("error", () => undefined).on("close", resolve);
    });
    listener.close();
    await closed;
    await expect(ask("/callback")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("comes at once when no browser brought an answer, and may come twice", async () => {
    await listener.show("nobody sees it");
    listener.close();
    listener.close();
    await expect(ask("/result")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("its port", () => {
  it("is the one that was asked for", async () => {
    const { port } = listener;
    listener.close();
    listener = await startCallbackListener(port);
    expect(listener.redirectUri).toBe(`http://127.0.0.1:${port}/callback`);
  });

  it("is a mistake when somebody else has it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(startCallbackListener(port)).rejects.toMatchObject({
      code: "usage",
      message: `Port ${port} of 127.0.0.1 is in use`,
      hint: expect.stringContaining("--callback-port"),
    });
    other.close();
  });
});
