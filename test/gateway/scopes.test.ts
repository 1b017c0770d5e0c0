import { describe, expect, it } from "vitest";
import { credentialRole } from "../../src/core/permissions.ts";
import type { Principal, Role } from "../../src/core/principal.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import { callerWith, legacyClient, modernClient, serverConfiguration } from "./fakes.ts";
import {
  acme,
  alsoRefused,
  clients,
  eras,
  lists,
  managing,
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
  writing,
} from "./role-table.ts";

// Scope × operation × era, denials first: what a token is limited to, of what its user sees.

const withToken = (organizationId: string | null, held: Role, ...scopes: string[]): Principal => ({
  ...person(organizationId, held),
  ...credentialRole(held, { scopes }),
  method: "local",
  scopes,
});

interface Case {
  who: Principal;
  /** What its user sees, and of that what it covers. */
  user: readonly string[];
  covers: readonly string[];
  mayWrite: boolean;
  /** Whether a role is among what it lacks for something that only reads. */
  namesRole: boolean;
  /** Whether a server is among what it lacks for writing to one that it covers. */
  namesServer: boolean;
}

const cases: Record<string, Case> = {
  "for the metrics alone": {
    who: withToken("acme", "editor", "metrics"),
    user: acme,
    covers: [],
    mayWrite: false,
    namesRole: true,
    namesServer: true,
  },
  "with scopes that nobody knows": {
    who: withToken("acme", "editor", "openid", "role:owner"),
    user: acme,
    covers: [],
    mayWrite: false,
    namesRole: true,
    namesServer: true,
  },
  "of a server that is another organisation's": {
    who: withToken("acme", "editor", "server:birthday"),
    user: acme,
    covers: [],
    mayWrite: true,
    namesRole: false,
    namesServer: true,
  },
  "of one server, to read": {
    who: withToken("acme", "editor", "server:alphabet", "role:viewer"),
    user: acme,
    covers: ["alphabet"],
    mayWrite: false,
    namesRole: true,
    namesServer: true,
  },
  "of one server": {
    who: withToken("acme", "editor", "server:alphabet"),
    user: acme,
    covers: ["alphabet"],
    mayWrite: true,
    namesRole: false,
    namesServer: true,
  },
  "of one server, of an administrator": {
    who: withToken("acme", "admin", "server:alphabet"),
    user: acme,
    covers: ["alphabet"],
    mayWrite: true,
    namesRole: false,
    namesServer: true,
  },
  "of a tag, and of a name that is nobody's": {
    who: withToken("acme", "editor", "tag:wide", "server:nothing"),
    user: acme,
    covers: ["everyone", "together"],
    mayWrite: true,
    namesRole: false,
    namesServer: true,
  },
  "of a tag and a server": {
    who: withToken("bolt", "editor", "tag:wide", "server:birthday", "role:viewer", "role:editor"),
    user: ["everyone", "birthday", "together"],
    covers: ["everyone", "birthday", "together"],
    mayWrite: true,
    namesRole: true,
    namesServer: true,
  },
  "to read": {
    who: withToken("acme", "admin", "role:viewer"),
    user: acme,
    covers: acme,
    mayWrite: false,
    namesRole: true,
    namesServer: false,
  },
  "of the gateway's owner, of a server of one organisation, to read": {
    who: withToken(null, "admin", "server:birthday", "role:viewer"),
    user: names,
    covers: ["birthday"],
    mayWrite: false,
    namesRole: true,
    namesServer: true,
  },
  "of the gateway's owner, to read": {
    who: withToken(null, "admin", "role:viewer"),
    user: names,
    covers: names,
    mayWrite: false,
    namesRole: true,
    namesServer: false,
  },
};

const insufficient = (...scopes: (string | false)[]) =>
  expect.objectContaining({ code: "forbidden", scopes: scopes.filter((scope) => scope !== false) });
const administers = insufficient("role:admin");
const forbidden: object = expect.objectContaining({ code: "forbidden" });

describe.each(eras)("to a client of the %s era", (era) => {
  describe.each(Object.entries(cases))("a token %s", (_what, of) => {
    const { who, user, covers, mayWrite, namesRole, namesServer } = of;
    const uncovered = user.filter((server) => !covers.includes(server));
    // Who is limited to no servers may know which of its own are switched off.
    const foreign = [...names, switchedOff].filter(
      (server) => !user.includes(server) && (server !== switchedOff || namesServer),
    );
    const isAdministrator = (who.userRole ?? who.role) === "admin";
    const begin = () => {
      const fixture = start();
      return { ...fixture, as: callerWith(clients[era](), who) };
    };

    it.each(Object.entries(ofServers))(
      "may not %s of what its user does not see either, and is told what is told of none",
      async (_name, operation) => {
        const { gateway, upstreams, as } = begin();
        const ofNobody = nameless(await refusal(() => operation(gateway, as, nobodys)), nobodys);
        expect(ofNobody).not.toBe('"none"');
        for (const server of foreign) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          expect(nameless(refused, server)).toBe(ofNobody);
        }
        expect(reached(upstreams.filter(({ name }) => foreign.includes(name)))).toEqual([]);
      },
    );

    it.each(Object.entries({ ...reading, ...unknownTools }))(
      "may not %s of what it does not cover, and is told all that it lacks",
      async (_name, operation) => {
        const { gateway, upstreams, as } = begin();
        for (const server of uncovered) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          expect(refused).toEqual(insufficient(`server:${server}`, namesRole && "role:viewer"));
        }
        expect(reached(upstreams.filter(({ name }) => uncovered.includes(name)))).toEqual([]);
      },
    );

    it.each(Object.entries(writing))(
      "may not %s of what it does not cover, and is told all that it lacks",
      async (_name, operation) => {
        const { gateway, upstreams, as, audit } = begin();
        for (const server of uncovered) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          const lacks = !mayWrite || namesRole;
          expect(refused).toEqual(insufficient(`server:${server}`, lacks && "role:editor"));
        }
        expect(reached(upstreams)).toEqual([]);
        expect(audit.events.map(({ toolName, status }) => [toolName, status])).toEqual(
          uncovered.map((server) => [`${server}__mend`, "denied"]),
        );
      },
    );

    it.each(Object.entries(managing))(
      "may not %s: it administers nothing",
      async (_name, restart) => {
        const { gateway, upstreams, as } = begin();
        for (const server of user) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => restart(gateway, as, server));
          expect(refused).toEqual(isAdministrator ? administers : forbidden);
        }
        expect(reached(upstreams)).toEqual([]);
      },
    );

    it.each(Object.entries(lists))("is shown nothing of others: %s", async (_name, list) => {
      const { gateway, as } = begin();
      let shown: unknown;
      const refused = await refusal(async () => (shown = await list(gateway, as)));
      expect(refused).toEqual(who.role === null ? insufficient("role:viewer") : undefined);
      const text = JSON.stringify(shown ?? null);
      const named = [...names, switchedOff].filter((server) => text.includes(server));
      expect(named.toSorted()).toEqual([...covers].toSorted());
    });

    it.each(Object.entries(alsoRefused))(
      "tells nothing to others: %s",
      async (_name, operation) => {
        const { gateway, upstreams, as } = begin();
        let shown: unknown;
        await refusal(async () => (shown = await operation(gateway, as)));
        expect([[], undefined]).toContainEqual(shown);
        const told = upstreams.filter((upstream) => upstream.told.length > 0);
        expect(told.filter((upstream) => !covers.includes(upstream.name))).toEqual([]);
      },
    );

    it("finds tools by their exposed names only where it covers them", () => {
      const { gateway, as } = begin();
      const found = names.filter((server) => gateway.exposedTool(as, `${server}__mend`));
      expect(found.toSorted()).toEqual([...covers].toSorted());
    });

    it.each(Object.entries(reading))("may %s of what it covers", async (_name, operation) => {
      const { gateway, as } = begin();
      for (const server of covers) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await refusal(() => operation(gateway, as, server))).toBeUndefined();
      }
    });

    it.each(Object.entries(writing))(
      `${mayWrite ? "may" : "may not"} %s of what it covers`,
      async (_name, operation) => {
        const { gateway, as, upstreams } = begin();
        for (const server of covers) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const refused = await refusal(() => operation(gateway, as, server));
          expect(refused).toEqual(
            mayWrite ? undefined : insufficient(namesServer && `server:${server}`, "role:editor"),
          );
        }
        const requests = upstreams.flatMap((upstream) => upstream.requests);
        expect(requests).toHaveLength(mayWrite ? covers.length : 0);
      },
    );
  });

  it("what the user may not is the user's to be granted, and no scope is named", async () => {
    const { gateway } = start();
    const as = callerWith(clients[era](), withToken("acme", "viewer", "server:alphabet"));
    for (const operation of Object.values(writing)) {
      for (const server of acme) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const refused = await refusal(() => operation(gateway, as, server));
        expect(refused).not.toHaveProperty("scopes");
        expect(refused).toMatchObject({
          message: expect.stringContaining("needs the role editor; yours in acme is viewer"),
          hint: expect.stringContaining("agent member set"),
        });
      }
    }
  });
});

it("the words say what a token has and what it needs", async () => {
  const { gateway } = start();
  const who = withToken("acme", "editor", "server:alphabet", "role:viewer");
  const as = callerWith(modernClient(), who);
  expect(
    await refusal(() => writing["call a writing tool as REST does"]?.(gateway, as, "together")),
  ).toEqual({
    code: "forbidden",
    message:
      'Tool "together__mend" changes things, so it is beyond this token\'s scopes (server:alphabet role:viewer): it needs server:together role:editor',
    hint: expect.stringMatching(
      /^agent token create --name <name> --user .* --organization acme --scope server:together --scope role:editor$/u,
    ),
    retryAfterSeconds: undefined,
    scopes: ["server:together", "role:editor"],
  });
});

it("the log level and the roots of a session are told to what its token covers only", () => {
  const { gateway, upstreams } = start();
  const as = callerWith(legacyClient("s"), withToken("acme", "editor", "tag:small"));
  gateway.setLogLevel(as, "debug");
  gateway.rootsChanged(as);
  const told = upstreams.filter((upstream) => upstream.told.length > 0);
  expect(told.map(({ name }) => name)).toEqual(["alphabet", "together"]);
});

it("updates are told as long as the token that is used covers the server", async () => {
  const { gateway, pool } = start();
  const wide = callerWith(legacyClient("s"), withToken("acme", "editor"));
  const as: CallerContext = { ...wide };
  const heard: unknown[] = [];
  await gateway.subscribeResource(as, "x-alphabet:one", (params) => heard.push(params));
  const told = (scopes: string[]): number => {
    as.principal = { ...wide.principal, scopes };
    pool.resourceUpdated("alphabet", { uri: "x-alphabet:one" });
    return heard.splice(0).length;
  };
  expect([["server:everyone"], ["metrics"], ["role:viewer"], ["tag:small"]].map(told)).toEqual([
    0, 0, 1, 1,
  ]);
});

it("changes of lists are told to those alone whose token covers the server", async () => {
  const { gateway, pool, upstreams } = start();
  const heard: string[] = [];
  for (const scope of ["server:alphabet", "server:together", "tag:small", "metrics"]) {
    const as = callerWith(modernClient(), withToken("acme", "editor", scope));
    gateway.onListsChanged(as, () => heard.push(scope));
  }
  const changed = new Promise((resolve) => {
    gateway.onListsChanged(callerWith(modernClient(), withToken("acme", "editor")), resolve);
  });
  const alphabet = upstreams.find(({ name }) => name === "alphabet");
  if (alphabet !== undefined) alphabet.listing = { ...alphabet.listing, tools: [] };
  pool.changed();
  await changed;
  expect(heard).toEqual(["server:alphabet", "tag:small"]);
  gateway.close();
});

it("a configuration that gives a server a tag gives it to who has that scope", async () => {
  const { gateway, configure, servers } = start();
  const as = callerWith(modernClient(), withToken("acme", "editor", "tag:later"));
  expect(gateway.listServers(as)).toEqual([]);
  configure(
    [...servers.values()].map((server) =>
      serverConfiguration(server.name, {
        access: server.access,
        disabled: server.disabled,
        tags: ["later"],
      }),
    ),
  );
  expect(gateway.listServers(as).map(({ name }) => name)).toEqual(acme);
});
