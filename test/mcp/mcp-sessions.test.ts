import { expect, it } from "vitest";
import { createMcpSessions } from "../../src/mcp/mcp-sessions.ts";

const sessionsOf = () => {
  let id = 0;
  return createMcpSessions(() => `s${++id}`);
};

it("finds a session for its own user only", () => {
  const sessions = sessionsOf();
  const { id } = sessions.open("ada", "client");
  expect(sessions.find(id, "ada")).toMatchObject({ id, clientName: "client" });
  expect(sessions.find(id, "eve")).toBeUndefined();
  expect(sessions.end(id, "eve")).toBe(false);
  expect(sessions.end(id, "ada")).toBe(true);
  expect(sessions.find(id, "ada")).toBeUndefined();
});

it("cancels a session's calls with it", () => {
  const sessions = sessionsOf();
  const session = sessions.open("ada", undefined);
  const call = new AbortController();
  session.calls.set(1, call);
  sessions.end(session.id, "ada");
  expect(call.signal.aborted).toBe(true);
});

it("lets the one go that was not used for longest, when there are too many", () => {
  const sessions = sessionsOf();
  const first = sessions.open("ada", undefined).id;
  const second = sessions.open("ada", undefined).id;
  for (let count = 2; count < 10_000; count++) sessions.open("ada", undefined);
  sessions.find(first, "ada");
  sessions.open("ada", undefined);
  expect(sessions.find(first, "ada")).toBeDefined();
  expect(sessions.find(second, "ada")).toBeUndefined();
});
