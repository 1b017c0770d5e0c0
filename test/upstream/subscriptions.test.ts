import { expect, test } from "vitest";
import { createSubscriptions } from "../../src/upstream/subscriptions.ts";

const done = (): Promise<void> => Promise.resolve();

test("nobody takes those that are left for the others", async () => {
  const subscriptions = createSubscriptions();
  for (let n = 0; n < 1000; n++) await subscriptions.add(`a:${n}`, "anna", done);
  const refused = { code: -32_603, message: "Too many subscriptions" };
  await expect(subscriptions.add("a:1000", "anna", done)).rejects.toMatchObject(refused);
  // One that is there already costs no more.
  await subscriptions.add("a:0", "anna", done);
  for (let n = 0; n < 1000; n++) await subscriptions.add(`b:${n}`, "ben", done);
  expect(subscriptions.size).toBe(2000);
  await expect(subscriptions.add("c:0", "carl", done)).rejects.toMatchObject(refused);
  await expect(subscriptions.add("a:1", "ben", done)).rejects.toMatchObject(refused);
  await subscriptions.add("a:1", "carl", done);
  await subscriptions.remove("a:2", "anna", done);
  await subscriptions.add("a:1000", "anna", done);
});

test("what one gives up the others keep", async () => {
  const subscriptions = createSubscriptions();
  const told: string[] = [];
  const tell = (what: string) => () => {
    told.push(what);
    return Promise.resolve();
  };
  await subscriptions.add("a:b", "anna", tell("first"));
  await subscriptions.add("a:b", "anna", tell("second"));
  await subscriptions.add("a:b", "ben", tell("third"));
  await subscriptions.remove("a:b", "carl", tell("not carl's"));
  await subscriptions.remove("a:b", "ben", tell("not the last"));
  await subscriptions.remove("a:b", "ben", tell("not ben's any more"));
  await subscriptions.remove("a:b", "anna", tell("not the last"));
  expect(told).toEqual(["first"]);
  await subscriptions.remove("a:b", "anna", tell("last"));
  expect(told).toEqual(["first", "last"]);
  expect(subscriptions.size).toBe(0);
});
