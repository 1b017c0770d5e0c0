import { expect, test } from "vitest";
import { auditRows } from "../storage/support/audit-rows.ts";
import { change, event, member, organization, token, user } from "../storage/support/rows.ts";
import { describeStorages } from "./describe-storages.ts";

const texts = {
  "an end of the statement": "x'); DROP TABLE mcp_audit_log; --",
  "quotes of all kinds": `' '' " "" \` [x] {x} $1 ?1 :name @name \\`,
  "a union": "' UNION SELECT hash, 1 FROM minted_tokens --",
  wildcards: "%_*?[a-z]^!",
  "what is true": "' OR 1=1 --",
  "line ends and escapes": "a\r\nb\u001B[31m\u0085\u2028\u202Ec",
  "beyond ASCII": "grüß \u{1F600} 漢字 \u{10FFFF} e\u0301",
  nothing: "",
  "keys of objects": "__proto__",
  "a very long text": "長'".repeat(100_000),
};

describeStorages((under) => {
  const { within } = under;
  test.each(Object.entries(texts))(
    "keeps and finds %s, in every text of every table",
    async (_what, text) => {
      const rows = {
        organization: organization({ id: text, name: text }),
        user: user({ id: text, name: text }),
        member: member({ organizationId: text, userId: text }),
        token: token({
          id: text,
          hash: text,
          name: text,
          userId: text,
          organizationId: text,
          scopes: [text],
        }),
        change: change({
          id: text,
          userId: text,
          organizationId: text,
          entityId: text,
          before: { [`key ${text}`]: text },
          after: { [`key ${text}`]: [text] },
        }),
        event: event({
          id: text,
          toolName: text,
          params: { [`key ${text}`]: [text] },
          userId: text,
          organizationId: text,
          projectId: text,
          sessionId: text,
          clientName: text,
        }),
      };
      await within(async (tx) => {
        await tx.organizations.insert(rows.organization);
        await tx.users.insert(rows.user);
        await tx.members.insert(rows.member);
        await tx.tokens.insert(rows.token);
        await tx.changes.append([rows.change, change({ entityId: "other" })]);
        await tx.audit.appendAll([rows.event, event()]);
        await tx.organizations.replace(rows.organization);
        await tx.users.replace(rows.user);
        await tx.members.replace(rows.member);
        await tx.tokens.replace(rows.token);
      });
      expect(await within((tx) => tx.organizations.all())).toStrictEqual([rows.organization]);
      expect(await within((tx) => tx.users.all())).toStrictEqual([rows.user]);
      expect(await within((tx) => tx.members.all())).toStrictEqual([rows.member]);
      expect(await within((tx) => tx.tokens.all())).toStrictEqual([rows.token]);
      const changed = { sequence: 1, ...rows.change };
      expect(
        await within((tx) => tx.changes.list({ organizationId: text, entityId: text, limit: 10 })),
      ).toStrictEqual([changed]);
      expect(await within((tx) => tx.changes.latestOfServers())).toContainEqual(changed);
      for (const field of ["userId", "organizationId", "projectId", "sessionId", "clientName"]) {
        expect(await auditRows(under.storage, { [field]: text })).toStrictEqual([
          { sequence: 1, ...rows.event },
        ]);
      }
    },
  );

  /** What no database can keep is kept as U+FFFD, so that it hides nothing: not from a filter, not at the end. */
  test.each([
    ["U+0000", "files__read\0evil", "files__read\uFFFDevil"],
    ["half a pair", "files__read\uD83Devil", "files__read\uFFFDevil"],
  ])("keeps %s as U+FFFD, and finds it by either", async (_what, text, kept) => {
    const mine = event({ toolName: text, userId: text, clientName: text, params: { text } });
    await within((tx) => tx.audit.appendAll([mine]));
    for (const query of [
      {},
      { toolName: text },
      { toolName: kept },
      { toolName: "*evil" },
      { toolName: "files__read?evil" },
      { userId: text, clientName: kept },
    ]) {
      expect(await auditRows(under.storage, query)).toStrictEqual([
        { sequence: 1, ...mine, toolName: kept, userId: kept, clientName: kept },
      ]);
    }
    expect(await auditRows(under.storage, { toolName: "files__read" })).toStrictEqual([]);
    await within((tx) => tx.users.insert(user({ name: text })));
    expect(await within((tx) => tx.users.all())).toStrictEqual([user({ name: kept })]);
  });
});
