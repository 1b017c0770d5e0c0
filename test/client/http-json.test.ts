import { Agent as HttpsAgent, createServer as createTlsServer } from "node:https";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { askJson, createAgent, UntrustedCertificate } from "../../src/client/http-json.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";
import type { FakeServer } from "./support/fake-server.ts";

let server: FakeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const patient = (): AbortSignal => AbortSignal.timeout(20_000);

test("asks with the method, headers and body given, and reads the JSON", async () => {
  server = await startFakeServer((_request, response) => {
    sendJson(response, 201, { ok: true });
  });
  const answer = await askJson({
    url: `${server.url}/a?b=c`,
    method: "POST",
    headers: { "x-test": "1" },
    body: "grüße",
    signal: patient(),
  });
  expect(answer).toMatchObject({ status: 201, json: { ok: true }, mediaType: "application/json" });
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
  const answer = await askJson({ url: server.url, signal: patient() });
  expect(answer).toMatchObject({ json: undefined, mediaType: "text/html" });
});

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

test("a name that does not exist is unreachable", async () => {
  await expect(
    askJson({ url: "http://nowhere.invalid/", signal: patient() }),
  ).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("resolved") });
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
        url: server.url,
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
    askJson({ url: server.url, signal: patient() }, { maxBytes: 4 * 1024 * 1024 }),
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
      askJson({ url: server.url + path, signal: AbortSignal.timeout(50) }),
    ).rejects.toMatchObject({ code: "timeout" });
  }
});

test("an interruption is passed on as it is", async () => {
  const interruption = new Error("interrupted");
  const controller = new AbortController();
  server = await startFakeServer(() => {
    controller.abort(interruption);
  });
  await expect(askJson({ url: server.url, signal: controller.signal })).rejects.toBe(interruption);
  await expect(askJson({ url: server.url, signal: controller.signal })).rejects.toBe(interruption);
});

test("a connection that breaks in mid-answer is said to have broken", async () => {
  server = await startFakeServer((_request, response) => {
    response.writeHead(200, { "content-length": "100" }).write("{");
    setImmediate(() => response.destroy());
  });
  await expect(askJson({ url: server.url, signal: patient() })).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("closed before the answer"),
  });
});

test.each([
  ["http:", "it does not answer in HTTP"],
  ["https:", "it does not speak TLS"],
])("what speaks no %s is told so", async (scheme, reason) => {
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
      askJson({ url: `${scheme}//127.0.0.1:${port}/`, signal: patient() }),
    ).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining(reason) });
  } finally {
    await new Promise((resolve) => {
      listener.close(resolve);
    });
  }
});

test("questions that share an agent share a connection", async () => {
  const sockets = new Set<unknown>();
  server = await startFakeServer((_request, response) => {
    sockets.add(response.socket);
    sendJson(response, 200, {});
  });
  const agent = createAgent(server.url);
  await askJson({ url: server.url, signal: patient(), agent });
  await askJson({ url: server.url, signal: patient(), agent });
  agent.destroy();
  expect(sockets.size).toBe(1);
});

const authority = makeCertificate();
const othersName = makeCertificate({ names: "DNS:other.example" });
const addAuthority = "NODE_EXTRA_CA_CERTS=<file> adds a certificate authority";

test.each([
  ["of its own making", authority, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT", addAuthority],
  [
    "by an authority that is not known, whose own it does not send",
    makeCertificate({ issuer: authority }),
    undefined,
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    addAuthority,
  ],
  [
    "for another name",
    othersName,
    othersName.cert,
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "Is the address right, and this machine's clock? If they are, its operator can put it right",
  ],
])(
  "a certificate %s is not trusted, with a way out",
  async (_what, { cert, key }, ca, code, hint) => {
    const asked: unknown[] = [];
    const strange = createTlsServer({ cert, key }, (question, response) => {
      asked.push(question.url);
      response.end("{}");
    });
    await new Promise<void>((resolve) => void strange.listen(0, "127.0.0.1", resolve));
    const address = strange.address();
    const url = `https://localhost:${typeof address === "object" ? address?.port : ""}`;
    const agent = new HttpsAgent(ca === undefined ? {} : { ca });
    const failure: unknown = await askJson({ url, signal: patient(), agent }).catch(
      (error: unknown) => error,
    );
    agent.destroy();
    await new Promise((resolve) => void strange.close(resolve));
    expect(failure).toBeInstanceOf(UntrustedCertificate);
    expect(failure).toMatchObject({
      code: "unreachable",
      message: `Cannot reach ${url}: its TLS certificate is not trusted (${code})`,
      hint,
    });
    expect(asked).toStrictEqual([]);
  },
);
