import type { ServerAccess } from "../../src/core/configuration.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, serverConfiguration } from "../gateway/fakes.ts";
import type { FakeUpstream, GatewayFixture } from "../gateway/fakes.ts";
import { organizations } from "./organizations.ts";
import type { Organizations, Who } from "./organizations.ts";
import { ask, startTestServer } from "./support.ts";
import type { Answer, Question, TestServerOptions } from "./support.ts";

export interface AdministrationServer extends Organizations {
  server: HttpServer;
  /** For all, for organisation a alone, for b alone. */
  upstreams: Record<"one" | "of-a" | "of-b", FakeUpstream>;
  audit: GatewayFixture["audit"];
  ask(who: Who | undefined, path: string, question?: Question): Promise<Answer>;
}

/** A gateway over HTTP with two organisations, and servers of each. */
export async function startAdministration(
  options: Pick<TestServerOptions, "configuration" | "metrics"> & { logger?: Logger } = {},
): Promise<AdministrationServer> {
  const world = await organizations();
  const upstreams = {
    one: fakeUpstream("one"),
    "of-a": fakeUpstream("of-a"),
    "of-b": fakeUpstream("of-b"),
  };
  const { gateway, audit } = gatewayOf(Object.values(upstreams), {
    door: world.door,
    servers: [
      serverConfiguration("one", access()),
      serverConfiguration("of-a", access("a")),
      serverConfiguration("of-b", access("b")),
    ],
  });
  const server = await startTestServer({
    ...world,
    standing: world.directory,
    gateway,
    ...options,
  });
  return {
    ...world,
    server,
    upstreams,
    audit,
    ask: (who, path, question = {}) =>
      ask(server.port, path, {
        ...question,
        headers: { ...question.headers, ...(who === undefined ? {} : world.as[who]) },
      }),
  };
}

/** Of a server that is there for these organisations; for all where there are none. */
function access(...of: string[]): { access: ServerAccess } {
  return { access: { read: [], write: [], organizations: of, trustHints: true } };
}
