import { fastify, type FastifyInstance } from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { acceptJsonOnly } from "../../src/http/json-body.ts";
import { takeJsonAsText } from "../../src/http/json-as-text.ts";
import { addMcpRoute } from "../../src/http/routes/mcp-route.ts";
import { inOnePiece } from "./pieces.ts";
import { ask } from "./support.ts";
import { ada } from "../gateway/fakes.ts";

let app: FastifyInstance;
afterEach(() => app.close());

const json = { "content-type": "application/json" };

/** Each request's body comes byte by byte. */
function start(sender: Principal | null, add: (to: FastifyInstance) => void, piece?: Buffer): void {
  app = fastify();
  app.decorateRequest("principal", null);
  app.addHook("onRequest", async (request) => {
    request.principal = sender;
  });
  app.addHook("preParsing", async (_request, _reply, payload) => {
    let text = "";
    for await (const chunk of payload) text += String(chunk);
    return inOnePiece(text, piece);
  });
  add(app);
}

const echo = (to: FastifyInstance): void => {
  to.post("/echo", ({ body }) => ({ body }));
};

describe("no body is kept in its pieces", () => {
  it("of JSON", async () => {
    start(ada, (to) => {
      acceptJsonOnly(to);
      echo(to);
    });
    const payload = { a: "x".repeat(3000) };
    const answer = await app.inject({ method: "POST", url: "/echo", payload });
    expect(answer.json()).toEqual({ body: payload });
  });

  it("of JSON left as text", async () => {
    start(ada, (to) => {
      takeJsonAsText(to);
      echo(to);
    });
    const payload = `{"a": "${"x".repeat(3000)}`;
    const answer = await app.inject({ method: "POST", url: "/echo", payload, headers: json });
    expect(answer.json()).toEqual({ body: payload });
  });

  it.each<["POST" | "DELETE", string, string | undefined]>([
    ["POST", "application/json", "{}"],
    ["DELETE", "text/plain", undefined],
  ])("of %s /mcp with %s", async (method, type, expected) => {
    const bodies: unknown[] = [];
    const piece = Buffer.alloc(1);
    const copied = vi.spyOn(piece, "copy");
    const addRoute = (to: FastifyInstance): void => {
      addMcpRoute(to, {
        gateway: { selectionOf: () => undefined },
        mcp: {
          handle: async ({ body, response }) => {
            bodies.push(body);
            response.end();
          },
        },
        answers: { onCredentialEnd: () => undefined },
        resourceMetadata: { announcedIn: (answer) => answer },
      });
    };
    start(ada, addRoute, piece);
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const headers = { "content-type": type, "content-length": "2" };
    await ask(Number(new URL(url).port), "/mcp", { method, body: "{}", headers });
    expect(bodies).toEqual([expected]);
    expect(copied).toHaveBeenCalledTimes(2);
  });
});

it("of who has shown nothing 16 KiB are taken in, whatever a route takes of others", async () => {
  const payload = { a: "x".repeat(16 * 1024) };
  const statusFor = async (sender: Principal | null): Promise<number> => {
    start(sender, (to) => {
      acceptJsonOnly(to);
      echo(to);
    });
    return (await app.inject({ method: "POST", url: "/echo", payload })).statusCode;
  };
  expect(await statusFor(ada)).toBe(200);
  await app.close();
  expect(await statusFor(null)).toBe(413);
});
