import { describe, expect, it } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { callerWith, legacyClient, modernClient } from "./fakes.ts";
import {
  acme,
  alsoRefused,
  clients,
  eras,
  lists,
  nameless,
  names,
  nobodys,
  ofServers,
  person,
  reached,
  reading,
  refusal,
  start,
  switchedOff,
  unknownTools,
  without,
  withRole,
  writing,
} from "./role-table.ts";

const forbidden = (message: unknown) => expect.objectContaining({ code: "forbidden", message });
const forbiddenWith = (words: string) => forbidden(expect.stringContaining(words));

describe.each(eras)("to a client of the %s era", (era) => {
  describe.each(without)("%s", (_what, { who }) => {
    it.each(Object.entries({ ...ofServers, ...lists, ...alsoRefused }))(
      "may not %s",
      async (_name, operation) => {
        const { gateway, upstreams } = start();
        const as = callerWith(clients[era](), who);
        const words =
          /^[A-Z][a-z ]+(?: "[^"]+")?(?: changes things, so it)?(?: needs the role (?:viewer|admin); you have none| (?:is|are) beyond this token's scopes)/u;
        for (const server of [...names, switchedOff, nobodys]) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          expect(refused).toEqual(forbidden(expect.stringMatching(words)));
        }
        expect(reached(upstreams)).toEqual([]);
      },
    );

    it("finds no tool", () => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      expect(gateway.exposedTool(as, "everyone__look")).toBeUndefined();
    });
  });

  describe.each(withRole)("%s", (_what, { who, sees, mayWrite, manages }) => {
    const foreign = [...names, switchedOff].filter(
      // Whether a server is switched off may be known to those whose it is.
      (name) => !sees.includes(name) && (name !== switchedOff || !sees.includes("alphabet")),
    );

    it.each(Object.entries(ofServers))(
      "may not %s of others, and is told what is told of none",
      async (_name, operation) => {
        const { gateway, upstreams } = start();
        const as = callerWith(clients[era](), who);
        const ofNobody = nameless(await refusal(() => operation(gateway, as, nobodys)), nobodys);
        expect(ofNobody).not.toBe('"none"');
        for (const server of foreign) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          expect(nameless(refused, server)).toBe(ofNobody);
        }
        const ofOthers = upstreams.filter(({ name }) => !sees.includes(name));
        expect(reached(ofOthers)).toEqual([]);
      },
    );

    it.each(Object.entries(lists))("sees only its own: %s", async (_name, list) => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      const text = JSON.stringify(await list(gateway, as));
      const named = [...names, switchedOff].filter((name) => text.includes(name));
      expect(named.toSorted()).toEqual([...sees].toSorted());
    });

    it("is listed the tools it may call", async () => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      const own = mayWrite ? ["look", "mend"] : ["look"];
      const listed = await gateway.list(as, "tools");
      expect(listed.map(({ name }) => name).toSorted()).toEqual(
        sees.flatMap((server) => own.map((tool) => `${server}__${tool}`)).toSorted(),
      );
      const summaries = gateway.listServers(as);
      expect(summaries.map(({ toolCount, counts }) => [toolCount, counts.tools])).toEqual(
        sees.map(() => [own.length, own.length]),
      );
      expect(gateway.inspectServer(as, "everyone")).toMatchObject({
        toolCount: own.length,
        tools: own.map((name) => expect.objectContaining({ name })),
      });
      const instructions = gateway.instructions(as, "shell");
      expect(instructions.includes("everyone/mend")).toBe(mayWrite);
      expect(instructions).toContain(`${own.length} tool`);
    });

    it("finds the tools of its servers by name, whatever is listed", () => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      const found = names.filter((server) => gateway.exposedTool(as, `${server}__mend`));
      expect(found.toSorted()).toEqual([...sees].toSorted());
    });

    it("can read all of its own", async () => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      for (const server of sees) {
        for (const [name, operation] of Object.entries(reading)) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          expect([name, await refusal(() => operation(gateway, as, server))]).toEqual([
            name,
            undefined,
          ]);
        }
      }
    });

    it.each(Object.entries(writing))(
      `${mayWrite ? "can" : "is refused, before it runs, to"} %s of its own`,
      async (_name, operation) => {
        const { gateway, upstreams, audit } = start();
        const as = callerWith(clients[era](), who);
        for (const server of sees) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          const role = who.organizationId === null ? "yours" : `yours in ${who.organizationId}`;
          const message = `Tool "${server}__mend" changes things, so it needs the role editor; ${role} is viewer (the owner of the gateway can grant it)`;
          expect(refused).toEqual(mayWrite ? undefined : forbidden(message));
        }
        const requests = upstreams.flatMap(({ requests: got }) => got);
        expect(requests).toHaveLength(mayWrite ? sees.length : 0);
        const status = mayWrite ? "success" : "denied";
        expect(audit.events.map((event) => [event.toolName, event.status])).toEqual(
          sees.map((server) => [`${server}__mend`, status]),
        );
      },
    );

    it.each(Object.entries(unknownTools))("is told of its own: %s", async (_name, operation) => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      for (const server of sees) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await refusal(() => operation(gateway, as, server))).toMatchObject({
          code: "not_found",
        });
      }
    });

    it("sees where servers stand, as an administrator", async () => {
      const { gateway } = start();
      const as = callerWith(clients[era](), who);
      let seen: string[] | undefined;
      await refusal(() => (seen = gateway.serverStatus(as).map(({ name }) => name)));
      expect(seen).toEqual(manages === undefined ? undefined : sees);
    });

    it("restarts, and reads the standard error of, what is its own to manage", async () => {
      const { gateway, upstreams } = start();
      const as = callerWith(clients[era](), who);
      for (const server of sees) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const refused = await refusal(() => gateway.restartServer(as, server));
        const isIts = manages?.includes(server) ?? false;
        const words =
          manages === undefined
            ? "Managing servers needs the role admin; yours"
            : `Server "${server}" is not your organisation's alone to manage`;
        expect(refused).toEqual(isIts ? undefined : forbiddenWith(words));
        const { stderrTail } = gateway.inspectServer(as, server);
        expect(stderrTail).toEqual(isIts ? [`last words of ${server}`] : []);
      }
      const restarted = upstreams.filter(({ told }) => told.includes("restart"));
      expect(restarted.map(({ name }) => name)).toEqual(manages ?? []);
    });
  });
});

it("tells the log level and the roots of a session to what it sees only", () => {
  const { gateway, upstreams } = start();
  const as = callerWith(legacyClient("s"), person("acme", "viewer"));
  gateway.setLogLevel(as, "debug");
  gateway.rootsChanged(as);
  gateway.rootsChanged(callerWith(legacyClient("t"), person("acme", null)));
  const told = upstreams.filter((upstream) => upstream.told.length > 0);
  expect(told.map(({ name }) => name)).toEqual(acme);
  expect(told[0]?.told).toEqual(["setLogLevel debug s", "rootsChanged s"]);
});

it("says that a server is switched off to those whose it is, and to no others", async () => {
  const { gateway } = start();
  const inspect = (who: Principal) =>
    refusal(() => gateway.inspectServer(callerWith(modernClient(), who), switchedOff));
  expect(await inspect(person("acme", "viewer"))).toMatchObject({
    message: 'Server "disabled" is disabled in the configuration',
  });
  expect(await inspect(person("bolt", "admin"))).toMatchObject({
    message: 'Unknown server "disabled"',
  });
});
