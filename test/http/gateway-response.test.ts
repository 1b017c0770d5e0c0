import { createServer } from "node:http";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { GatewayResponse } from "../../src/http/gateway-response.ts";
import { ask } from "./support.ts";

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** The head of what is answered by this, without what Node adds. */
async function headOf(answer: (response: GatewayResponse) => void): Promise<object> {
  const server = createServer({ ServerResponse: GatewayResponse }, (_request, response) =>
    answer(response),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { status, headers } = await ask(port, "/");
  const { date: _date, connection: _connection, "transfer-encoding": _coding, ...own } = headers;
  return { status, ...own };
}

const always = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  vary: "Origin",
};

it("has the headers of every answer, however its head comes to be", async () => {
  const empty = { ...always, "content-length": "0" };
  expect(await headOf((response) => response.end())).toEqual({ status: 200, ...empty });
  const bare = await headOf((response) => response.writeHead(404).end());
  expect(bare).toMatchObject({ status: 404, ...always });
  const given = { "content-type": "text/plain", "x-none": undefined };
  expect(await headOf((response) => response.writeHead(200, given).end("x"))).toEqual({
    status: 200,
    ...always,
    "content-type": "text/plain",
  });
  const worded = await headOf((response) => response.writeHead(202, "Taken", given).end());
  expect(worded).toMatchObject({ status: 202, ...always, "content-type": "text/plain" });
  const listed = await headOf((response) => response.writeHead(200, ["x-own", "1"]).end());
  expect(listed).toMatchObject({ ...always, "x-own": "1" });
  const begun = await headOf((response) => {
    response.flushHeaders();
    response.end("x");
  });
  expect(begun).toEqual({ status: 200, ...always });
});

it("leaves an answer what it says itself, each once", async () => {
  const own = { "cache-control": "public, max-age=5" };
  expect(await headOf((response) => response.writeHead(200, own).end("x"))).toEqual({
    status: 200,
    ...always,
    ...own,
  });
  const set = await headOf((response) => {
    response.setHeader("cache-control", "public, max-age=5");
    response.setHeader("x-own", "1");
    response.writeHead(201, { vary: "Accept" }).end("x");
  });
  expect(set).toEqual({ status: 201, ...always, ...own, "x-own": "1", vary: "Accept" });
});
