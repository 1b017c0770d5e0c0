import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication, Authenticator } from "../../src/auth/authenticator.ts";
import { createDoor } from "../../src/auth/door.ts";
import type { Door, DoorAnswer } from "../../src/auth/door.ts";
import { authenticationTypes, systemPrincipal } from "../../src/core/principal.ts";
import type { AuthenticationType, Principal } from "../../src/core/principal.ts";

// Contract §4 "auth": every list of types, each answering in every way, in every order of writing.

const somebody = (method: AuthenticationType): Principal => ({ ...systemPrincipal, method });

const answers = {
  accepted: (type: AuthenticationType): Authentication => ({
    kind: "accepted",
    principal: somebody(type),
  }),
  absent: (): Authentication => ({ kind: "absent" }),
  notMine: (): Authentication => ({ kind: "not-mine" }),
  rejected: (type: AuthenticationType): Authentication => ({
    kind: "rejected",
    reason: `by ${type}`,
  }),
  insufficient: (type: AuthenticationType): Authentication => ({
    kind: "insufficient",
    scopes: [type],
  }),
  unavailable: (type: AuthenticationType): Authentication => ({
    kind: "unavailable",
    reason: `without ${type}`,
  }),
};
type Answering = keyof typeof answers;
const answerings: readonly Answering[] = [
  "accepted",
  "absent",
  "notMine",
  "rejected",
  "insufficient",
  "unavailable",
];
const decides: ReadonlySet<Answering> = new Set(["accepted", "rejected", "insufficient"]);

type Listed = readonly [type: AuthenticationType, answering: Answering];

function authenticatorOf([type, answering]: Listed, asked: AuthenticationType[]): Authenticator {
  return {
    way: { type, description: type },
    authenticate() {
      asked.push(type);
      return answers[answering](type);
    },
    renew: (principal) => principal,
  };
}

/** What the contract says of a list, in words of its own: the first that decides; else who could not tell; else nobody. */
function expected(list: readonly Listed[], bearer: string | undefined): DoorAnswer {
  const inOrder = authenticationTypes.flatMap((type) => list.filter(([listed]) => listed === type));
  const decisive = inOrder.find(([, answering]) => decides.has(answering));
  const silent = inOrder.find(([, answering]) => answering === "unavailable");
  const [type, answering] = decisive ?? silent ?? [];
  if (type !== undefined && answering !== undefined) {
    const answer = answers[answering](type);
    if (answer.kind !== "not-mine") return answer;
  }
  return bearer === undefined
    ? { kind: "absent" }
    : { kind: "rejected", reason: "The token is not known here" };
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [items.slice()];
  return items.flatMap((item, at) =>
    permutations(items.toSpliced(at, 1)).map((rest) => [item].concat(rest)),
  );
}

/** Every way in which so many authenticators may answer. */
function combinations(count: number): Answering[][] {
  if (count === 0) return [[]];
  return combinations(count - 1).flatMap((rest) => answerings.map((each) => rest.concat(each)));
}

const listed: readonly (readonly AuthenticationType[])[] = [
  ["local"],
  ["local", "token"],
  ["token", "jwt"],
  ["local", "bearer"],
  ["local", "token", "jwt"],
  ["simple", "bearer", "oauth"],
  ["local", "jwt", "oauth"],
];

describe.each(listed.map((types) => [types.join(", "), types] as const))(
  "a list of %s",
  (_name, types) => {
    test.each(["a bearer", undefined])("decides as the contract says for %s", async (bearer) => {
      for (const answering of combinations(types.length)) {
        const list = types.map((type, at): Listed => [type, answering[at] ?? "absent"]);
        for (const written of permutations(list)) {
          const asked: AuthenticationType[] = [];
          const door = createDoor(
            written.map((each) => authenticatorOf(each, asked)),
            () => 0,
          );
          const answer = await door.authenticate({ bearer });
          // Nobody is asked after it is decided: a token is shown to no more than need be.
          const last = types.findIndex((_type, at) => decides.has(answering[at] ?? "absent"));
          expect({ written, answer, asked }).toStrictEqual({
            written,
            answer: expected(list, bearer),
            asked: last === -1 ? types : types.slice(0, last + 1),
          });
        }
      }
    });
  },
);

test("says why a token is nobody's, where somebody knows", async () => {
  const door = createDoor(
    [
      authenticatorOf(["token", "notMine"], []),
      {
        ...authenticatorOf(["jwt", "notMine"], []),
        authenticate: () => ({ kind: "not-mine", reason: "Another issuer's token" }),
      },
    ],
    () => 0,
  );
  expect(await door.authenticate({ bearer: "x" })).toStrictEqual({
    kind: "rejected",
    reason: "Another issuer's token",
  });
});

describe("who came in", () => {
  const jwt: Authenticator = {
    ...authenticatorOf(["jwt", "accepted"], []),
    renew: (principal) => (principal.displayName === "gone" ? undefined : principal),
  };

  test("stands while the type that let them in does, and has not expired", () => {
    let nowMs = 5;
    const door = createDoor([jwt], () => nowMs);
    const ada = { ...somebody("jwt"), expiresAtMs: 10 };
    expect(door.renew(ada)).toBe(ada);
    expect(door.renew({ ...ada, displayName: "gone" })).toBeUndefined();
    expect(door.renew(somebody("bearer"))).toBeUndefined();
    nowMs = 10;
    expect(door.renew(ada)).toBeUndefined();
  });

  test("has no standing once the type is off, and whoever listens hears of it", () => {
    const door = createDoor([jwt], () => 0);
    let told = 0;
    door.onChanged(() => (told += 1));
    const ada = somebody("jwt");
    door.replace([authenticatorOf(["token", "accepted"], [])]);
    expect(told).toBe(1);
    expect(door.renew(ada)).toBeUndefined();
    expect(door.ways).toStrictEqual([{ type: "token", description: "token" }]);
  });

  test("by the local proof stands whatever is on, by a minted token of the owner only with local", () => {
    const door = createDoor([jwt], () => 0);
    const owner = { ...somebody("local"), isLocalOwner: true };
    expect(door.renew(owner)).toBe(owner);
    expect(door.renew({ ...owner, tokenHash: "ab" })).toBeUndefined();
    expect(door.renew(systemPrincipal)).toBe(systemPrincipal);
  });
});

const logout = async (door: Door): Promise<boolean> =>
  door.revoke("x", await door.authenticate({ bearer: "x" }));

describe("the end of a token", () => {
  /** Who was shown the token to end it. */
  let shown: string[];
  const ending = (type: AuthenticationType, answering: Answering): Authenticator => ({
    ...authenticatorOf([type, answering], []),
    revoke: () => {
      shown.push(type);
      return Promise.resolve(true);
    },
  });
  beforeEach(() => {
    shown = [];
  });

  test.each<Answering>(["accepted", "insufficient"])(
    "is asked of the one who let it in, as %s, and of nobody else",
    async (answering) => {
      const list = [
        ending("simple", "unavailable"),
        ending("bearer", answering),
        ending("oauth", answering),
      ];
      expect(await logout(createDoor(list, () => 0))).toBe(true);
      expect(shown).toStrictEqual(["bearer"]);
    },
  );

  test("is asked of nobody where that one ends none, and none of them let it in", async () => {
    const without = [authenticatorOf(["jwt", "accepted"], []), ending("bearer", "accepted")];
    expect(await logout(createDoor(without, () => 0))).toBe(false);
    const strange = [ending("simple", "rejected"), ending("bearer", "accepted")];
    expect(await logout(createDoor(strange, () => 0))).toBe(false);
    expect(await logout(createDoor([ending("bearer", "unavailable")], () => 0))).toBe(false);
    expect(shown).toStrictEqual([]);
  });

  test("is asked of the same one after a reload", async () => {
    const door = createDoor([ending("bearer", "accepted")], () => 0);
    const answer = await door.authenticate({ bearer: "x" });
    door.replace([ending("simple", "accepted"), authenticatorOf(["bearer", "accepted"], [])]);
    expect(await door.revoke("x", answer)).toBe(true);
    expect(shown).toStrictEqual(["bearer"]);
  });
});
