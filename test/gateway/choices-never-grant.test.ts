import { describe, expect, it } from "vitest";
import type { ServerConfiguration } from "../../src/core/configuration.ts";
import { AppError } from "../../src/core/errors.ts";
import { credentialRole } from "../../src/core/permissions.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { SelectionRequest } from "../../src/core/selection.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import { call, choose, everything, shop } from "./choice-world.ts";
import {
  ada,
  callerWith,
  fakeUpstream,
  gatewayOf,
  modernClient,
  open,
  serverConfiguration,
} from "./fakes.ts";

describe("a choice never grants", () => {
  let seed = 20_261_122;
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const some = <T>(all: readonly T[]): T[] => all.filter(() => next(2) === 0);
  const one = <T>(all: readonly [T, ...T[]]): T => all[next(all.length)] ?? all[0];
  const tags = ["a", "b", "c", "not", "x y"];
  const word = (): string => JSON.stringify(one(["a", "b", "c", "not", "x y", "nobody"]));
  const filter = (depth: number): string => {
    const kind = depth === 0 ? 0 : next(4);
    if (kind === 0) return word();
    if (kind === 1) return `not ${filter(depth - 1)}`;
    return `(${filter(depth - 1)} ${kind === 2 ? "and" : "or"} ${filter(depth - 1)})`;
  };
  const names = ["n0", "n1", "n2", "n3", "n4", "n5"];
  const servers = (): ServerConfiguration[] =>
    names.map((name) =>
      serverConfiguration(name, {
        tags: some(tags),
        disabled: next(6) === 0,
        prefix: one([name, name, "same"]),
        access: { ...open, organizations: some(["acme", "bolt"]) },
      }),
    );
  const principal = (): Principal => {
    const held = one(["viewer", "editor", "admin"] as const);
    const scopes =
      next(2) === 0 ? [] : one([["server:n1", "server:n2"], ["tag:a"], ["role:viewer"]]);
    return {
      ...ada,
      organizationId: one([null, "acme", "bolt"]),
      ...credentialRole(held, { scopes }),
      scopes,
    };
  };
  const request = (): SelectionRequest => {
    const given: SelectionRequest = {
      preset: next(2) === 0 ? "p" : undefined,
      tags: next(2) === 0 ? [one(["a", "b", "nobody"])] : undefined,
    };
    return { ...given, filter: next(2) === 0 ? filter(3) : undefined };
  };

  it("whoever asks, and whatever they choose: what is shown and reached is some of what it was without", async () => {
    let shown = 0;
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const upstreams = names.map((name) => fakeUpstream(name, everything(name)));
      const { gateway } = gatewayOf(upstreams, {
        servers: servers(),
        presets: { p: { servers: some(names), ...(next(2) === 0 ? { filter: filter(2) } : {}) } },
      });
      const all = callerWith(modernClient(), principal());
      const some_ = choose(gateway, request(), all);
      const selection = some_.selection;
      const seenBy = (who: CallerContext) =>
        new Map(
          gateway
            .listServers(who)
            .map(({ name }) => [
              name,
              gateway.inspectServer(who, name).tools.map((tool) => tool.name),
            ]),
        );
      const whole = seenBy(all);
      const part = seenBy(some_);
      for (const [name, tools] of part) expect(whole.get(name)).toEqual(tools);
      shown += part.size;
      // oxlint-disable-next-line no-await-in-loop -- one gateway after the other
      const listed = await gateway.list(some_, "tools");
      expect(listed.length).toBeLessThanOrEqual([...part.values()].flat().length);
      for (const name of names) {
        const address = { server: name, tool: "look" };
        if (part.has(name)) {
          // oxlint-disable-next-line no-await-in-loop -- one call after the other
          await gateway.callTool(some_, { ...call, address });
          continue;
        }
        refused += 1;
        // oxlint-disable-next-line no-await-in-loop -- one call after the other
        const error = await gateway.callTool(some_, { ...call, address }).then(
          () => "reached",
          (thrown: unknown) => (thrown instanceof AppError ? thrown.code : thrown),
        );
        // Of what is chosen and beyond the token, it may say so, as without a choice.
        const isToken = all.principal.scopes.length > 0 && selection !== undefined;
        expect([
          ...(isToken || selection === undefined ? ["forbidden"] : []),
          "not_found",
        ]).toContain(error);
      }
      expect(
        upstreams.filter(({ name, requests }) => requests.length > 0 && !part.has(name)),
      ).toEqual([]);
    }
    expect(shown).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it("and costs others nothing: what is kept of invented choices drives out nothing of theirs", async () => {
    const { gateway, upstreams } = shop();
    const patient = modernClient({}, "patient");
    let asked = 0;
    for (const upstream of upstreams) {
      upstream.listFor = ({ owner }) => {
        if (owner === "patient") asked += 1;
        return upstream.listing;
      };
    }
    await gateway.list(callerWith(patient), "tools");
    expect(asked).toBe(3);
    for (let n = 0; n < 500; n++) {
      // oxlint-disable-next-line no-await-in-loop -- one choice after the other
      await gateway.list(choose(gateway, { filter: `local or t${n}` }), "tools");
    }
    await gateway.callTool(callerWith(patient), { ...call, address: { exposedName: "s__echo" } });
    expect(asked).toBe(3);
  });
});
