import { readFileSync } from "node:fs";
import type { RouteOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { KnownPaths } from "../../src/http/known-paths.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { startTestServer } from "./support.ts";

const added = vi.hoisted((): Pick<RouteOptions, "url" | "method">[] => []);

// The app tells nobody else which routes it has: what it notes for 405 is listened to.
vi.mock("../../src/http/known-paths.ts", async (original) => {
  const { createKnownPaths } = await original<{ createKnownPaths: () => KnownPaths }>();
  return {
    createKnownPaths(): KnownPaths {
      const known = createKnownPaths();
      return {
        add(route) {
          added.push(route);
          known.add(route);
        },
        find: (path) => known.find(path),
      };
    },
  };
});

const documentation = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

describe("docs/api.md", () => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close(0));

  it("has every route of the app, and no other", () => {
    const told = [...documentation.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/[^`\s]*)`/gu)].map(
      ([, route = ""]) => route,
    );
    // Every GET is there as HEAD as well, which the page says once.
    const routes = added
      .flatMap(({ url, method }) => [method].flat().map((each) => `${each} ${url}`))
      .filter((route) => !route.startsWith("HEAD "));
    expect(routes).toContain("POST /api/v1/tools/call");
    expect([...new Set(told)].toSorted()).toEqual([...new Set(routes)].toSorted());
  });
});
