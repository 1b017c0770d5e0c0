import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createOpenAnswers } from "../../src/http/open-answers.ts";
import type { AnswerLimits } from "../../src/http/open-answers.ts";

const mebibyte = 1024 * 1024;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that answers `/<bytes>` with so many, `/hang` not at all, `/later` when it is told to. */
async function start(limits: Partial<AnswerLimits>) {
  /** Of those who stand; others may be let in no more. */
  const standing = new Map<string, Principal>();
  const renew = (principal: Principal): Principal | undefined => standing.get(principal.userId);
  const answers = createOpenAnswers(
    { renew },
    {
      unreadOfOne: 100 * mebibyte,
      unreadInTotal: 1_000 * mebibyte,
      pipelined: 16,
      stalledMs: 0,
      lookMs: 5,
      ...limits,
    },
  );
  const later: ServerResponse[] = [];
  const closed: string[] = [];
  let begun = 0;
  const server = createServer((request, response) => {
    if (!answers.begin(response, () => undefined)) return;
    begun += 1;
    const owner = String(request.headers["x-owner"]);
    const principal = standing.get(owner) ?? { ...systemPrincipal, userId: owner };
    standing.set(owner, principal);
    answers.belongsTo(response, principal);
    response.once("close", () => closed.push(`${owner} ${request.url}`));
    if (request.url === "/stream") answers.onCredentialEnd(response, () => response.end());
    else if (request.url === "/listen") {
      answers.onCredentialEnd(response, () => response.end(), { whileRoleStays: true });
    } else if (request.url === "/later") later.push(response);
    else if (request.url !== "/hang") response.end("x".repeat(Number(request.url?.slice(1))));
  });
  server.keepAliveTimeout = 50;
  answers.guard(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  ends.push(() => {
    answers.close();
    server.closeAllConnections();
    server.close();
  });
  /** Asks for these paths at once, and reads nothing. */
  const ask = (owner: string, ...paths: string[]): Socket => {
    const socket = connect(port, "127.0.0.1").pause();
    socket.on("error", () => undefined);
    const head = `Host: 127.0.0.1\r\nX-Owner: ${owner}\r\n\r\n`;
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\n${head}`).join(""));
    ends.push(() => socket.destroy());
    return socket;
  };
  return { ask, answers, standing, later, closed, begun: () => begun };
}

const big = `/${32 * mebibyte}`;

it("who leaves more unread than one may loses connections, and nobody else does", async () => {
  const { ask, closed, later } = await start({ unreadOfOne: 40 * mebibyte });
  const bob = ask("bob", big);
  ask("bob", "/later");
  ask("ada", big);
  ask("ada", big);
  await expect.poll(() => closed).toEqual([`ada ${big}`]);
  bob.resume();
  await expect.poll(() => closed).toContain(`bob ${big}`);
  await expect.poll(() => bob.bytesRead).toBeGreaterThan(32 * mebibyte);
  expect(later).toHaveLength(1);
  expect(closed).toHaveLength(2);
});

it("beyond what all may leave unread, who has more than the same share loses it", async () => {
  const { ask, closed } = await start({ unreadInTotal: 70 * mebibyte });
  const small = `/${8 * mebibyte}`;
  const bob = ask("bob", small);
  ask("ada", big);
  ask("ada", big);
  await expect.poll(() => closed).toEqual([`ada ${big}`]);
  bob.resume();
  await expect.poll(() => closed).toContain(`bob ${small}`);
  await expect.poll(() => bob.bytesRead).toBeGreaterThan(8 * mebibyte);
});

it("answers that wait behind another count too, and hear when the connection is closed", async () => {
  const { ask, closed } = await start({ unreadOfOne: 40 * mebibyte });
  ask("ada", "/hang", big, "/hang", big);
  await expect.poll(() => closed).toHaveLength(4);
});

it("a connection that asks on and on before it is answered is closed", async () => {
  const { ask, closed, begun } = await start({ pipelined: 3 });
  const patient = ask("ada", "/1", "/2", "/hang");
  const hasty = ask("bob", "/hang", "/hang", "/hang", "/hang").resume();
  await once(hasty, "close");
  await expect.poll(() => closed).toHaveLength(5);
  expect([patient.destroyed, begun()]).toEqual([false, 6]);
});

it("who reads nothing is not waited for, who waits for an answer is", async () => {
  const { ask, closed, later } = await start({ stalledMs: 50 });
  const waiting = ask("ada", "/later").resume();
  await expect.poll(() => later).toHaveLength(1);
  ask("ada", big);
  await expect.poll(() => closed).toEqual([`ada ${big}`]);
  expect(waiting.destroyed).toBe(false);
  later[0]?.end("at last");
  await expect.poll(() => closed).toContain("ada /later");
  // Nor is a connection kept on which nothing is asked any more.
  await once(waiting, "close");
});

it("a stream ends at once when it is told that whose it is has no standing any more", async () => {
  const { ask, answers, standing, closed, later, begun } = await start({ lookMs: 1_000_000 });
  ask("ada", "/stream");
  ask("ada", "/later");
  ask("bob", "/stream");
  await expect.poll(begun).toBe(3);
  standing.delete("ada");
  answers.standingsChanged();
  await expect.poll(() => closed).toEqual(["ada /stream"]);
  // What was asked for is answered.
  expect(later[0]?.destroyed).toBe(false);
});

it("and soon when nothing tells it, as when a credential expires", async () => {
  const { ask, standing, closed, begun } = await start({});
  ask("ada", "/stream");
  ask("bob", "/stream");
  await expect.poll(begun).toBe(2);
  standing.delete("bob");
  await expect.poll(() => closed).toEqual(["bob /stream"]);
});

it("what goes by the role it began with ends with that, and nothing else does", async () => {
  const { ask, answers, standing, closed, begun } = await start({ lookMs: 1_000_000 });
  ask("ada", "/listen");
  ask("ada", "/stream");
  ask("bob", "/listen");
  await expect.poll(begun).toBe(3);
  standing.set("ada", { ...systemPrincipal, userId: "ada", role: "viewer" });
  answers.standingsChanged();
  await expect.poll(() => closed).toEqual(["ada /listen"]);
  standing.clear();
  answers.standingsChanged();
  await expect.poll(() => closed).toHaveLength(3);
});
