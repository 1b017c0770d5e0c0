import { expect, test } from "vitest";
import { createRecordQueries } from "../../src/administration/record-queries.ts";
import { actor } from "./support/world.ts";

const refused = { code: "rate_limited", retryAfterSeconds: 1 };

interface Asked {
  answer: Promise<string>;
  end: (how?: Error) => void;
}

/** Questions that are not answered until told. */
function openQueries(): (userId: string, organizationId?: string) => Asked {
  const queries = createRecordQueries();
  return (userId, organizationId = "acme") => {
    let end: ((how?: Error) => void) | undefined;
    const work = new Promise<string>((resolve, reject) => {
      end = (how) => (how === undefined ? resolve(userId) : reject(how));
    });
    const answer = queries.answer(actor(userId, organizationId, "admin"), () => work);
    return { answer, end: (how) => end?.(how) };
  };
}

test("of one principal two are answered at once, whatever becomes of them", async () => {
  const ask = openQueries();
  const first = ask("ada");
  const second = ask("ada");
  await expect(ask("ada").answer).rejects.toMatchObject(refused);
  await expect(ask("ada").answer).rejects.toMatchObject(refused);
  const elsewhere = ask("ada", "beta");
  first.end();
  expect(await first.answer).toBe("ada");
  const third = ask("ada");
  await expect(ask("ada").answer).rejects.toMatchObject(refused);
  const failure = new Error("no storage");
  second.end(failure);
  await expect(second.answer).rejects.toBe(failure);
  const fourth = ask("ada");
  for (const each of [third, fourth, elsewhere]) {
    each.end();
    expect(await each.answer).toBe("ada");
  }
});

test("of all principals eight are", async () => {
  const ask = openQueries();
  const asked = Array.from({ length: 8 }, (_, at) => ask(`user-${at}`));
  await expect(ask("late").answer).rejects.toMatchObject(refused);
  asked[0]?.end();
  await asked[0]?.answer;
  const late = ask("late");
  late.end();
  expect(await late.answer).toBe("late");
});
