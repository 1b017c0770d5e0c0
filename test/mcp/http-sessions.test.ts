import { expect, it } from "vitest";
import { createHttpSessions } from "../../src/mcp/http-sessions.ts";
import type { HttpSession } from "../../src/mcp/http-sessions.ts";
import { fakeGateway, people } from "./fake-gateway.ts";
import { createEventLog } from "../../src/mcp/event-log.ts";
import { createLegacySession } from "../../src/mcp/legacy-session.ts";
import { gatewayIdentity } from "../../src/mcp/mcp-identity.ts";
import { createSessionStreams } from "../../src/mcp/session-streams.ts";

const [principal] = Object.values(people);

function sessionOf(id: string): HttpSession {
  const gateway = fakeGateway();
  if (principal === undefined) throw new Error("Nobody is there");
  const session = createLegacySession({
    gateway,
    identity: gatewayIdentity(gateway, "1"),
    caller: { principal, clientName: "x", sessionId: null, projectId: null },
    initializeParams: { protocolVersion: "2025-11-25" },
    newId: () => id,
  });
  const streams = createSessionStreams({
    log: createEventLog().session(),
    primed: true,
    keepAliveMs: 1_000,
    keepMs: 1_000,
    onCommon: () => undefined,
  });
  return { session, streams, working: 0 };
}

it("ends what nobody used for long, and nothing that is being worked on", () => {
  let time = 0;
  const limits = { inTotal: 10, perPrincipal: 10, idleMs: 100 };
  const sessions = createHttpSessions({ limits, now: () => time });
  const [idle, used, working] = [sessionOf("idle"), sessionOf("used"), sessionOf("working")];
  for (const session of [idle, used, working]) sessions.add(session, "ada");
  working.working = 1;
  time = 80;
  expect(sessions.find("used", "ada")).toBe(used);
  expect(sessions.find("idle", "bob")).toBeUndefined();
  time = 101;
  sessions.sweep();
  expect(sessions.find("idle", "ada")).toBeUndefined();
  expect(idle.session.clientSession.ended.aborted).toBe(true);
  expect(sessions.find("used", "ada")).toBe(used);
  working.working = 0;
  time = 202;
  sessions.sweep();
  expect([...sessions.all()]).toEqual([]);
});

it("counts what each principal has, and only that", () => {
  const limits = { inTotal: 3, perPrincipal: 2, idleMs: 100 };
  const sessions = createHttpSessions({ limits, now: () => 0 });
  for (const id of ["a1", "a2"]) sessions.add(sessionOf(id), "ada");
  sessions.add(sessionOf("b1"), "bob");
  sessions.add(sessionOf("a3"), "ada");
  expect([...sessions.all()].map(({ session }) => session.id)).toEqual(["a2", "b1", "a3"]);
  expect(sessions.end("a2", "bob")).toBe(false);
  expect(sessions.end("a2", "ada")).toBe(true);
  sessions.add(sessionOf("c1"), "cy");
  sessions.add(sessionOf("c2"), "cy");
  expect([...sessions.all()].map(({ session }) => session.id)).toEqual(["a3", "c1", "c2"]);
});

it("ends the one that was unused for longest, to the second", () => {
  let time = 0;
  const limits = { inTotal: 10, perPrincipal: 2, idleMs: 10_000 };
  const sessions = createHttpSessions({ limits, now: () => time });
  for (const id of ["first", "second"]) sessions.add(sessionOf(id), "ada");
  time = 1_000;
  expect(sessions.find("first", "ada")).toBeDefined();
  sessions.add(sessionOf("third"), "ada");
  expect([...sessions.all()].map(({ session }) => session.id)).toEqual(["first", "third"]);
});
