import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InsufficientScope } from "../../src/core/insufficient-scope.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeDoor, gatewayOf, open, serverConfiguration } from "../gateway/fakes.ts";
import { ask, startTestServer } from "../http/support.ts";
import type { Answer } from "../http/support.ts";
import { holder, insufficient, upstream } from "./limited-callers.ts";
import {
  deferred,
  exchange,
  initializeMessage,
  modern,
  open as openPost,
  rpc,
  startEndpoint,
} from "./endpoint.ts";

// What a token is limited to, on the wire: 403 with the challenge of RFC 6750 §3.1, in every era and over REST. A
// bearer names the scopes it has here; its user is an editor of acme.

const upstreams = ["files", "db", "secret", "my files"].map(upstream);
let server: HttpServer;
beforeAll(async () => {
  const { gateway } = gatewayOf(upstreams, {
    servers: upstreams.map(({ name }) =>
      serverConfiguration(name, {
        tags: name === "db" ? ["data"] : [],
        access: { ...open, organizations: [name === "secret" ? "bolt" : "acme"] },
      }),
    ),
    door: {
      ...fakeDoor("local"),
      authenticate: ({ bearer: shown = "" }) => {
        const principal = holder(Buffer.from(shown, "base64url").toString());
        return Promise.resolve({ kind: "accepted", principal });
      },
    },
  });
  server = await startTestServer({ gateway });
});
afterAll(() => server.close(0));

const accept = { accept: "application/json, text/event-stream" };
const bearer = (scopes: string) => ({
  authorization: `Bearer ${Buffer.from(scopes).toString("base64url")}`,
});
const post = (path: string, scopes: string, body: object, headers: Record<string, string> = {}) =>
  ask(server.port, path, { body, headers: { ...accept, ...headers, ...bearer(scopes) } });

async function session(scopes: string): Promise<Record<string, string>> {
  const answer = await post("/mcp", scopes, initializeMessage());
  return {
    "mcp-session-id": String(answer.headers["mcp-session-id"]),
    "mcp-protocol-version": "2025-11-25",
  };
}

type Ask = (scopes: string, method: string, params: JsonObject) => Promise<Answer>;
const eras: Record<string, Ask> = {
  "the legacy era, in a session": async (scopes, method, params) =>
    post("/mcp", scopes, rpc(method, params), await session(scopes)),
  "the legacy era, without a session": (scopes, method, params) =>
    post("/mcp", scopes, rpc(method, params)),
  "the modern era": (scopes, method, params) => {
    const { headers = {}, body } = modern(method, params);
    return post("/mcp", scopes, asObject(body), headers);
  },
};
function asObject(body: Json | undefined): object {
  if (typeof body !== "object" || body === null) throw new Error("It is an object");
  return body;
}

/** What is asked of a server, and as whom. */
const operations: Record<
  string,
  [method: string, params: (of: string) => JsonObject, role: string]
> = {
  "call a reading tool": ["tools/call", (of) => ({ name: `${of}__look`, arguments: {} }), "viewer"],
  "call a writing tool": ["tools/call", (of) => ({ name: `${of}__mend`, arguments: {} }), "editor"],
  "call a tool that is not there": ["tools/call", (of) => ({ name: `${of}__xx` }), "viewer"],
  "get a prompt": ["prompts/get", (of) => ({ name: `${of}__ask` }), "viewer"],
  "read a resource": ["resources/read", (of) => ({ uri: `x-${of}:one` }), "viewer"],
  "read by a qualified URI": ["resources/read", (of) => ({ uri: `onedoor:${of}:any` }), "viewer"],
  "complete a prompt": [
    "completion/complete",
    (of) => ({
      ref: { type: "ref/prompt", name: `${of}__ask` },
      argument: { name: "a", value: "" },
    }),
    "viewer",
  ],
};

describe.each(Object.entries(eras))("to a client of %s", (_era, asked) => {
  it.each(Object.entries(operations))("a token is refused that may not %s", async (_name, of) => {
    const [method, params, role] = of;
    for (const [scopes, lacks] of [
      ["server:db", "server:files"],
      ["tag:data", "server:files"],
      ["server:db,role:viewer", `server:files role:${role}`],
      ["server:other,role:viewer,role:editor", `server:files role:${role}`],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await asked(scopes, method, params("files"))).toEqual(insufficient(lacks));
    }
    expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
  });

  it("a token to read is refused what writes", async () => {
    const [method, params] = operations["call a writing tool"] ?? [];
    if (method === undefined || params === undefined) throw new Error("It is there");
    expect(await asked("role:viewer", method, params("files"))).toEqual(
      insufficient("role:editor"),
    );
    expect(await asked("server:files,role:viewer", method, params("files"))).toEqual(
      insufficient("server:files role:editor"),
    );
    expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
  });

  it("a token for the metrics is refused at the door", async () => {
    expect(await asked("metrics", "tools/list", {})).toEqual(insufficient("role:viewer"));
  });

  it("what its user does not see is not there", async () => {
    for (const [method, params] of Object.values(operations)) {
      for (const scopes of ["server:db", "server:secret", "server:secret,role:viewer", "all"]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const answers = await Promise.all(
          ["secret", "nobody"].map((of) => asked(scopes, method, params(of))),
        );
        const [secret, nobody] = answers.map(({ status, headers, text }) => [
          status,
          headers["www-authenticate"],
          text.replaceAll(/secret|nobody/gu, "<server>"),
        ]);
        expect(secret).toEqual(nobody);
        expect(secret?.[0]).toBe(200);
      }
    }
  });

  it("what it covers is answered", async () => {
    for (const [name, [method, params]] of Object.entries(operations)) {
      if (name === "call a tool that is not there") continue;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await asked("server:db,server:files", method, params("files"));
      expect([name, answer.status, answer.json]).toMatchObject([name, 200, { result: {} }]);
    }
    for (const one of upstreams) one.requests.splice(0);
  });

  it("lists what it covers, and nothing else", async () => {
    for (const [kind, listed] of [
      ["tools", ["db__look"]],
      ["prompts", ["db__ask"]],
      ["resources", ["one"]],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { json } = await asked("tag:data,role:viewer", `${kind}/list`, {});
      expect(json).toMatchObject({ result: { [kind]: listed.map((name) => ({ name })) } });
      expect(JSON.stringify(json)).not.toMatch(/files|secret/u);
    }
  });

  it("a scope that no header can hold stands in the body alone", async () => {
    const answer = await asked("server:db", "resources/read", { uri: "x-my files:one" });
    expect(answer.status).toBe(403);
    expect(answer.headers["www-authenticate"]).toContain('error="insufficient_scope"');
    expect(answer.headers["www-authenticate"]).not.toContain("scope=");
    expect(answer.json).toMatchObject({ error: { data: { scopes: ["server:my files"] } } });
  });
});

describe("in a session", () => {
  it("the log level, subscriptions and the greeting are what its token covers", async () => {
    const headers = await session("server:db");
    const refused = await post(
      "/mcp",
      "server:db",
      rpc("resources/subscribe", { uri: "x-files:one" }),
      headers,
    );
    expect(refused).toEqual(insufficient("server:files"));
    const uri = { uri: "x-db:one" };
    expect(await post("/mcp", "server:db", rpc("resources/subscribe", uri), headers)).toMatchObject(
      {
        status: 200,
        json: { result: {} },
      },
    );
    await post("/mcp", "server:db", rpc("logging/setLevel", { level: "debug" }), headers);
    const told = upstreams.filter((each) => each.told.length > 0).map(({ name }) => name);
    expect(told).toEqual(["db"]);
    const greeting = await post("/mcp", "server:db", initializeMessage());
    expect(greeting.text).toContain("db");
    expect(greeting.text).not.toMatch(/files|secret/u);
  });

  it("a token of the same user that may less is not let in, and one that may more is", async () => {
    const headers = await session("server:db,server:files");
    const ping = rpc("ping");
    for (const narrower of [
      "server:db",
      "server:db,role:viewer",
      "server:db,server:files,role:viewer",
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await post("/mcp", narrower, ping, headers)).status).toBe(404);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const stream = await ask(server.port, "/mcp", {
        headers: { accept: "text/event-stream", ...headers, ...bearer(narrower) },
      });
      expect(stream.status).toBe(404);
    }
    expect((await post("/mcp", "server:files,server:db", ping, headers)).status).toBe(200);
    expect((await post("/mcp", "all", ping, headers)).status).toBe(200);
    // From then on it is the wider one's.
    expect((await post("/mcp", "server:db,server:files", ping, headers)).status).toBe(404);
  });

  it("a token made for a lesser role is not let in, nor its client to what was said", async () => {
    const headers = await session("all");
    expect((await post("/mcp", "made-as-viewer", rpc("ping"), headers)).status).toBe(404);
    for (const [method, more] of [
      ["GET", {}],
      ["GET", { "last-event-id": "post-1-0" }],
      ["DELETE", {}],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await ask(server.port, "/mcp", {
        method,
        headers: { accept: "text/event-stream", ...headers, ...more, ...bearer("made-as-viewer") },
      });
      expect(answer.status).toBe(404);
    }
    // Whose user holds less than when it began goes on.
    expect((await post("/mcp", "demoted", rpc("ping"), headers)).status).toBe(200);
  });

  it("a stream ends whose token may hear less than the one that speaks now", async () => {
    const headers = await session("server:db");
    const listen = (scopes: string) =>
      fetch(`http://127.0.0.1:${server.port}/mcp`, {
        headers: { accept: "text/event-stream", ...headers, ...bearer(scopes) },
      });
    const [narrow, wide] = [await listen("server:db"), await listen("all")];
    expect([narrow.status, wide.status]).toEqual([200, 200]);
    let wideIsOver = false;
    const wideEnd = wide.text().then(() => (wideIsOver = true));
    await post("/mcp", "server:db", rpc("ping"), headers);
    await post("/mcp", "all", rpc("ping"), headers);
    await narrow.text();
    expect(wideIsOver).toBe(false);
    await ask(server.port, "/mcp", { method: "DELETE", headers: { ...headers, ...bearer("all") } });
    await wideEnd;
  });
});

const restCall = (of: string, tool: string) => ({ server: of, tool, arguments: {} });

/** An event stream, and where its client posts to. */
async function openStream(scopes: string) {
  const stream = await fetch(`http://127.0.0.1:${server.port}/sse`, { headers: bearer(scopes) });
  const reader = stream.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  const path = /data: (\S+)/u.exec(Buffer.from(value ?? []).toString())?.[1] ?? "";
  return { path, end: () => reader?.cancel() };
}

it("over HTTP+SSE a token posts to no stream of one that is limited otherwise", async () => {
  const { path, end } = await openStream("server:db,server:files");
  const statusOf = async (scopes: string) => (await post(path, scopes, rpc("ping"))).status;
  expect(await statusOf("server:db")).toBe(404);
  expect(await statusOf("role:viewer")).toBe(404);
  expect(await statusOf("server:files,server:db")).toBe(202);
  await end();
});

it("over HTTP+SSE nothing that a wider token may hear comes on a narrower one's stream", async () => {
  const { path, end } = await openStream("server:db");
  expect((await post(path, "all", rpc("ping"))).status).toBe(404);
  expect((await post(path, "server:db,server:files", rpc("ping"))).status).toBe(404);
  await end();
});

describe("over REST", () => {
  it.each<[string, string, object | undefined, string, string]>([
    [
      "/api/v1/tools/call",
      "server:db,role:viewer",
      restCall("files", "mend"),
      "POST",
      "server:files role:editor",
    ],
    ["/api/v1/tools/call", "server:db", restCall("files", "mend"), "POST", "server:files"],
    [
      "/api/v1/tools/call",
      "metrics",
      restCall("files", "mend"),
      "POST",
      "server:files role:editor",
    ],
    ["/api/v1/tools/call", "role:viewer", restCall("files", "mend"), "POST", "role:editor"],
    ["/api/v1/inspect?server=files", "server:db", undefined, "GET", "server:files"],
    [
      "/api/v1/inspect?server=files&tool=mend",
      "server:db,role:viewer",
      undefined,
      "GET",
      "server:files role:viewer",
    ],
    ["/api/v1/inspect", "metrics", undefined, "GET", "role:viewer"],
    ["/api/v1/instructions", "metrics", undefined, "GET", "role:viewer"],
    ["/sse", "metrics", undefined, "GET", "role:viewer"],
    ["/message?sessionId=x", "metrics", {}, "POST", "role:viewer"],
  ])("%s is refused to %s", async (path, scopes, body, method, lacks) => {
    const headers = { accept: "application/json", ...bearer(scopes) };
    const answer = await ask(server.port, path, { method, headers, ...(body && { body }) });
    expect(answer).toEqual(insufficient(lacks));
  });

  it("what is for administrators no scope opens to who is none", async () => {
    for (const path of [
      "/servers",
      "/servers/db",
      "/api/v1/audit",
      "/api/v1/admin/tokens",
      "/metrics",
    ]) {
      for (const scopes of ["server:db", "role:admin", "metrics"]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const answer = await ask(server.port, path, { headers: bearer(scopes) });
        expect([path, answer.status]).toEqual([path, 403]);
        expect(answer.headers).not.toHaveProperty("www-authenticate");
      }
    }
  });
});

function limited(): never {
  throw new InsufficientScope("Beyond", { scopes: ["role:editor"] });
}

describe("an answer", () => {
  const call = { name: "one__echo", arguments: {} };

  it("that has begun as a stream says it there", async () => {
    const { gateway, port } = await startEndpoint({ timings: { silenceMs: 5 } });
    const begun = deferred();
    gateway.call = async () => {
      await begun.promise;
      return limited();
    };
    const answer = await openPost(port, modern("tools/call", call));
    begun.resolve();
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([200, undefined]);
    expect(await answer.nextMessage()).toMatchObject({
      error: { code: -32_006, data: { code: "forbidden", scopes: ["role:editor"] } },
    });
  });

  it("to a batch has one status for all", async () => {
    const { gateway, port } = await startEndpoint();
    gateway.call = limited;
    const headers = { "mcp-protocol-version": "2025-03-26" };
    const body = [rpc("tools/call", call, 1), rpc("ping", {}, 2)];
    const answer = await exchange(port, { headers, body });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([200, undefined]);
    expect(answer.text).toContain('"scopes":["role:editor"]');
  });

  it("is no challenge of a server's making", async () => {
    const { gateway, port } = await startEndpoint();
    const data = { code: "forbidden", scopes: ["role:admin"] };
    gateway.call = () => {
      throw new RpcFault({ code: -32_006, message: "Give me more", data });
    };
    for (const asked of [modern("tools/call", call), { body: rpc("tools/call", call) }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await exchange(port, asked);
      expect([answer.status, answer.headers["www-authenticate"]]).toEqual([200, undefined]);
      expect(answer.last).toMatchObject({ error: { data } });
    }
  });
});
