import { afterAll, beforeAll, expect, test } from "vitest";
import { errorLine, startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";
import { runAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";

let up: SignedInGateway;
beforeAll(async () => {
  up = await startSignedInGateway();
});
afterAll(async () => {
  await up.stop();
});

test("a server that is ready is waited for no longer", async () => {
  const { code, stdout } = await up.agent(["wait", "everything"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^everything +ready +13/mu);
});

test("a server that is down fails, with its reason", async () => {
  const result = await up.agent(["wait", "down", "--json", "-q"]);
  expect(result.code).toBe(3);
  expect(JSON.parse(result.stdout)).toMatchObject({
    servers: [{ name: "down", state: "unavailable", reason: expect.any(String) }],
  });
  expect(errorLine(result)).toMatchObject({
    error: { code: "upstream_unavailable", hint: "agent inspect down" },
  });
});

test("a server that does not finish starting is named when time is over", async () => {
  const result = await up.agent(["wait", "slow", "--timeout", "0.5", "--json", "-q"]);
  expect(result.code).toBe(3);
  expect(errorLine(result)).toMatchObject({
    error: { code: "timeout", message: "Still starting after 0.5 s: slow" },
  });
});

test("a misspelt server is not waited for", async () => {
  const result = await up.agent(["wait", "evrything", "--json", "-q"]);
  expect(result.code).toBe(2);
  expect(errorLine(result)).toMatchObject({ error: { hint: "Did you mean everything?" } });
});

test("no gateway until the end: 3, and the way to one", async () => {
  const home = createHome();
  try {
    const result = await runAgent(["wait", "--timeout", "0.5", "--json", "-q"], { home });
    expect(result.code).toBe(3);
    expect(errorLine(result)).toMatchObject({
      error: { code: "unreachable", hint: expect.stringContaining("agent serve") },
    });
  } finally {
    home.remove();
  }
});
