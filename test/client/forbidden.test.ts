import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { formatFailure } from "../../src/cli/failure.ts";
import { KnownSecrets } from "../../src/cli/known-secrets.ts";
import { createAdministrationClient } from "../../src/client/administration-client.ts";
import { createGatewayToolServer } from "../../src/client/gateway-tool-server.ts";
import { AppError } from "../../src/core/errors.ts";
import { requireRole } from "../../src/core/permissions.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";
import type { FakeServer } from "./support/fake-server.ts";

let fake: FakeServer | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

/** The gateway's own refusal of a call, as long as it gets. */
const refusal = refusalOf(() =>
  requireRole(
    {
      userId: "bob@example.com",
      displayName: "Bob",
      organizationId: "acme".repeat(20),
      role: "viewer",
      scopes: [],
      method: "local",
      isLocalOwner: false,
    },
    "editor",
    `Tool "${"files__write".repeat(10)}"`,
  ),
);

function refusalOf(work: () => void): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("It was not refused");
}

/** What somebody reads who calls a tool, or administers, at a gateway that is not theirs. */
async function toldBy(answer: (response: ServerResponse) => void): Promise<string[]> {
  fake = await startFakeServer((_request, response) => answer(response));
  const endpoint = fake.url;
  const signal = AbortSignal.timeout(20_000);
  const server = createGatewayToolServer({
    endpoint,
    bearer: "od_bob",
    ownGateway: false,
    clientName: "test",
    signal,
  });
  const call = { arguments: {}, untyped: {}, signal, timeoutMs: 1000 };
  const access = { endpoint, bearer: "od_bob", ownGateway: false };
  const client = createAdministrationClient(() => Promise.resolve(access), signal);
  const attempts = [server.call("files", "write", call), client.users.add({ id: "eve" })];
  return Promise.all(
    attempts.map((attempt: Promise<unknown>) =>
      attempt.then(String, (error: unknown) =>
        formatFailure(error, { json: false, debug: false, secrets: new KnownSecrets() }),
      ),
    ),
  );
}

test("why not, and who can grant it, reaches the user whole; the hint is our own", async () => {
  expect(refusal.message).toContain("an administrator of acme");
  const told = await toldBy((response) => sendJson(response, 403, refusal.toBody()));
  for (const text of told) {
    expect(text).toBe(`agent: ${refusal.message}\nhint: agent auth whoami shows who you are there`);
  }
});

test("so does a refusal that comes as an event", async () => {
  const [text] = await toldBy((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`event: error\ndata: ${JSON.stringify(refusal.toBody())}\n\n`);
  });
  expect(text).toContain(`agent: ${refusal.message}\n`);
  expect(text).not.toContain("agent member set");
});
