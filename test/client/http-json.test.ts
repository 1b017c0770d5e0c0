import type { ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { authoritiesIn } from "../../src/client/authorities.ts";
import { UntrustedCertificate } from "../../src/client/connection-failure.ts";
import { createConnections } from "../../src/client/direct-http.ts";
import { askJson, cutOff, openAnswer } from "../../src/client/http-json.ts";
import { setExpectedCertificates } from "../../src/client/expected-certificates.ts";
import { leaveUnchecked } from "../../src/client/network.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";
import type { FakeServer } from "./support/fake-server.ts";
import { directly, ways } from "./support/ways.ts";
import type { Way } from "./support/ways.ts";

let server: FakeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const patient = (): AbortSignal => AbortSignal.timeout(20_000);

test("localhost is 127.0.0.1 first, then ::1", async () => {
  server = await startFakeServer(
    (_request, response) => {
      sendJson(response, 200, { at: "v6" });
    },
    { host: "::1" },
  );
  const { port } = new URL(server.url);
  const six = await askJson({ url: `http://localhost:${port}/`, signal: patient() });
  expect(six.json).toEqual({ at: "v6" });
  const four = await startFakeServer(
    (_request, response) => {
      sendJson(response, 200, { at: "v4" });
    },
    { port: Number(port) },
  );
  try {
    const answer = await askJson({ url: `http://localhost:${port}/`, signal: patient() });
    expect(answer.json).toEqual({ at: "v4" });
  } finally {
    await four.close();
  }
});

test("nobody there is unreachable, with a way out", async () => {
  server = await startFakeServer(() => undefined);
  const { url } = server;
  await server.close();
  await expect(askJson({ url: `${url}/status`, signal: patient() })).rejects.toMatchObject({
    code: "unreachable",
    message: `Cannot reach ${url}: connection refused`,
    hint: expect.stringContaining("agent serve --status"),
  });
});

test.each([
  ["https", "HTTPS_PROXY"],
  ["http", "HTTP_PROXY"],
])(
  "%s at a name that does not exist: no way out is one's own gateway",
  async (scheme, variable) => {
    const asked = askJson({ url: `${scheme}://nowhere.invalid/`, signal: patient() });
    await expect(asked).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("resolved"),
      hint: `Is the address right? Behind a proxy set ${variable}`,
    });
  },
);

test("an answer that is cut off: where to look depends on who gave it", () => {
  expect(cutOff("http://127.0.0.1:3050/mcp").hint).toContain("agent serve --status");
  expect(cutOff("https://gate.example/mcp").hint).toBe(
    "Whether the tool ran is not known; look before you call it again",
  );
});

describe.each(ways)("%s", (_name, open) => {
  let way: Way;
  beforeEach(async () => {
    way = await open();
  });
  afterEach(() => way.close());

  test("asks with the method, headers and body given, and reads the JSON", async () => {
    server = await startFakeServer((_request, response) => {
      sendJson(response, 201, { ok: true });
    });
    const answer = await askJson({
      url: way.at(`${server.url}/a?b=c`),
      method: "POST",
      headers: { "x-test": "1" },
      body: "grüße",
      signal: patient(),
    });
    expect(answer).toMatchObject({
      status: 201,
      json: { ok: true },
      mediaType: "application/json",
    });
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/a?b=c",
      body: "grüße",
      headers: { "x-test": "1", "content-length": "7", accept: "application/json" },
    });
  });

  test("what is not JSON is no error here, and no JSON either", async () => {
    server = await startFakeServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>");
    });
    const answer = await askJson({ url: way.at(server.url), signal: patient() });
    expect(answer).toMatchObject({ json: undefined, mediaType: "text/html" });
  });

  test("a redirect is not followed: neither credential nor body goes there", async () => {
    const elsewhere = await startFakeServer((_request, response) => {
      sendJson(response, 200, {});
    });
    try {
      server = await startFakeServer((_request, response) => {
        response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
      });
      await expect(
        askJson({
          url: way.at(server.url),
          method: "POST",
          headers: { authorization: "Bearer secret" },
          body: "{}",
          signal: patient(),
        }),
      ).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringContaining("redirects"),
        hint: expect.stringContaining(`${elsewhere.url}/stolen`),
      });
      expect(elsewhere.requests).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  test("an answer without end is cut off", async () => {
    server = await startFakeServer((_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", write);
      write();
    });
    await expect(
      askJson({ url: way.at(server.url), signal: patient() }, { maxBytes: 4 * 1024 * 1024 }),
    ).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("longer than 4 MiB"),
    });
    await server.requests[0]?.hungUp;
  });

  test("a server that never answers ends at the deadline, one in mid-answer too", async () => {
    server = await startFakeServer((request, response) => {
      if (request.path === "/half") response.writeHead(200).write('{"a":');
    });
    for (const path of ["/silent", "/half"]) {
      await expect(
        askJson({ url: way.at(server.url) + path, signal: AbortSignal.timeout(50) }),
      ).rejects.toMatchObject({ code: "timeout" });
    }
  });

  test("an interruption is passed on as it is", async () => {
    const interruption = new Error("interrupted");
    const controller = new AbortController();
    server = await startFakeServer(() => {
      controller.abort(interruption);
    });
    await expect(askJson({ url: way.at(server.url), signal: controller.signal })).rejects.toBe(
      interruption,
    );
    await expect(askJson({ url: way.at(server.url), signal: controller.signal })).rejects.toBe(
      interruption,
    );
  });

  test("a connection that breaks in mid-answer is said to have broken", async () => {
    server = await startFakeServer((_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.destroy());
    });
    await expect(askJson({ url: way.at(server.url), signal: patient() })).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("closed before the answer"),
    });
  });

  test.each([
    ["http:", "it does not answer in HTTP"],
    ["https:", "it does not speak TLS"],
  ])("what speaks no %s is told so", async (scheme, reason) => {
    // To a plain question the proxy answers, whatever it makes of the server.
    const told = way.shown !== "" && scheme === "http:" ? "closed before the answer" : reason;
    const listener = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end("SSH-2.0-OpenSSH_9.2\r\n");
    });
    await new Promise<void>((resolve) => {
      listener.listen(0, "127.0.0.1", resolve);
    });
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      await expect(
        askJson({ url: way.at(`${scheme}//127.0.0.1:${port}/`), signal: patient() }),
      ).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining(told) });
    } finally {
      await new Promise((resolve) => {
        listener.close(resolve);
      });
    }
  });

  test("questions that share connections share one", async () => {
    const sockets = new Set<unknown>();
    server = await startFakeServer((_request, response) => {
      sockets.add(response.socket);
      sendJson(response, 200, {});
    });
    const connections = createConnections(server.url);
    await askJson({ url: way.at(server.url), signal: patient(), connections });
    await askJson({ url: way.at(server.url), signal: patient(), connections });
    connections.destroy();
    expect(sockets.size).toBe(1);
  });

  test("an answer is there as soon as it begins, and what follows when it comes", async () => {
    const answers: ServerResponse[] = [];
    server = await startFakeServer((_request, response) => {
      response.writeHead(200, { "x-twice": ["a", "b"], "set-cookie": ["c", "d"] });
      response.write("one");
      answers.push(response);
    });
    const answer = await openAnswer({ url: way.at(server.url), signal: patient() });
    expect(answer.headers).toMatchObject({ "x-twice": "a, b" });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    const seen: string[] = [];
    for await (const chunk of answer.body) {
      seen.push(Buffer.from(chunk).toString());
      answers.pop()?.end("two");
    }
    expect(seen).toEqual(["one", "two"]);
  });

  test("who stops reading, or does not begin to, ends the connection", async () => {
    server = await startFakeServer((_request, response) => {
      response.writeHead(200).write("one");
    });
    const url = way.at(server.url);
    const unread = await openAnswer({ url, signal: patient() });
    unread.destroy();
    const left = await openAnswer({ url, signal: patient() });
    for await (const chunk of left.body) {
      expect(String(chunk)).toBe("one");
      break;
    }
    await server.requests[0]?.hungUp;
    await server.requests[1]?.hungUp;
  });
});

describe("certificates", () => {
  const authority = makeCertificate();
  const names = "DNS:target.test,DNS:localhost";
  const issued = makeCertificate({ names, issuer: authority });
  const expired = makeCertificate({ names, days: -1 });
  const othersName = makeCertificate({ names: "DNS:other.example" });
  const addAuthority =
    "--cacert <file> (or NODE_EXTRA_CA_CERTS=<file>) adds a certificate authority";
  const askOperator =
    "Is the address right, and this machine's clock? If they are, its operator can put it right";

  let asked: unknown[];
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  /** A server with this certificate, and its address on this way. */
  async function serve({ cert, key }: MadeCertificate, way: Way): Promise<string> {
    asked = [];
    const strange = createTlsServer({ cert, key }, (question, response) => {
      asked.push(question.url);
      response.end("{}");
    });
    await new Promise<void>((resolve) => void strange.listen(0, "127.0.0.1", resolve));
    ends.push(() => new Promise((resolve) => void strange.close(resolve)));
    const address = strange.address();
    return way.at(`https://localhost:${typeof address === "object" ? address?.port : ""}`);
  }
  async function open(
    openWay: (typeof ways)[number][1],
    trusted: MadeCertificate | undefined,
  ): Promise<Way> {
    const way = await openWay(
      trusted && authoritiesIn(trusted.cert, { path: "ca.pem", from: "--cacert" }),
    );
    ends.push(() => way.close());
    return way;
  }

  describe.each(ways)("%s", (_name, openWay) => {
    test.each([
      ["of its own making", authority, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT", addAuthority],
      [
        "by an authority that is not known, whose own it does not send",
        issued,
        undefined,
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        addAuthority,
      ],
      ["for another name", othersName, othersName, "ERR_TLS_CERT_ALTNAME_INVALID", askOperator],
      ["whose time is over", expired, expired, "CERT_HAS_EXPIRED", askOperator],
    ])("one %s is not trusted, with a way out", async (_what, shown, trusted, code, hint) => {
      const way = await open(openWay, trusted);
      const url = await serve(shown, way);
      const failure: unknown = await askJson({ url, signal: patient() }).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(UntrustedCertificate);
      expect(failure).toMatchObject({
        code: "unreachable",
        message: `Cannot reach ${url}${way.shown}: its TLS certificate is not trusted (${code})`,
        hint,
      });
      expect(asked).toStrictEqual([]);
    });

    test("one of an authority that was given is trusted", async () => {
      const url = await serve(issued, await open(openWay, authority));
      expect(await askJson({ url, signal: patient() })).toMatchObject({ status: 200 });
    });

    test("unchecked is the one server that was meant, also over connections that are shared", async () => {
      const way = await open(openWay, undefined);
      const url = await serve(expired, way);
      const other = await serve(expired, way);
      leaveUnchecked(url);
      const connections = createConnections(url);
      ends.push(() => connections.destroy());
      for (const shared of [undefined, connections]) {
        const question = { signal: patient(), connections: shared };
        expect(await askJson({ ...question, url: `${url}/any` })).toMatchObject({ status: 200 });
        await expect(askJson({ ...question, url: other })).rejects.toBeInstanceOf(
          UntrustedCertificate,
        );
      }
    });
  });

  test("an own gateway's certificate is the only one, whatever is trusted or not checked", async () => {
    const way = await open(directly, authority);
    const url = await serve(issued, way);
    setExpectedCertificates(() => Promise.resolve(["ab".repeat(32)]));
    ends.push(() => setExpectedCertificates(() => Promise.resolve(undefined)));
    leaveUnchecked(url);
    await expect(askJson({ url, signal: patient() })).rejects.toMatchObject({
      message: `Cannot reach ${url}: its TLS certificate is not that of your running gateway`,
    });
    expect(asked).toStrictEqual([]);
  });
});
