import { expect, test } from "vitest";
import { createPlaces } from "../../../src/auth/outside/places.ts";

/** Work that is done when the test says so, and what came of each. */
function open(limits: { atOnce: number; kept: number; waiting: number }) {
  const places = createPlaces(limits);
  const began: string[] = [];
  const running = new Map<string, () => void>();
  const take = (name: string, isUnproven: boolean, signal = new AbortController().signal) =>
    places.take(
      () => {
        began.push(name);
        return new Promise<string>((resolve) => running.set(name, () => resolve(name)));
      },
      { isUnproven, signal },
    );
  const finish = async (name: string, taken: ReturnType<typeof take>): Promise<void> => {
    running.get(name)?.();
    await expect(taken).resolves.toEqual({ result: name });
  };
  return { take, finish, began };
}

test("who is not unproven goes first, whoever came first", async () => {
  const { take, finish, began } = open({ atOnce: 1, kept: 0, waiting: 2 });
  const first = take("first", true);
  const stranger = take("stranger", true);
  const known = take("known", false);
  await finish("first", first);
  expect(began).toEqual(["first", "known"]);
  await finish("known", known);
  await finish("stranger", stranger);
});

test("the waiting ends with its signal, and the next one gets the place", async () => {
  const { take, finish, began } = open({ atOnce: 1, kept: 0, waiting: 2 });
  const first = take("first", false);
  const patience = new AbortController();
  const second = take("second", false, patience.signal);
  const third = take("third", false);
  patience.abort();
  await expect(second).resolves.toBeUndefined();
  await finish("first", first);
  await finish("third", third);
  expect(began).toEqual(["first", "third"]);
  const over = take("fourth", false, AbortSignal.abort());
  await finish("fourth", over);
});

test("work that fails gives its place back", async () => {
  const places = createPlaces({ atOnce: 1, kept: 0, waiting: 0 });
  const { signal } = new AbortController();
  for (let times = 0; times < 3; times += 1) {
    const taken = places.take(() => Promise.reject(new TypeError("bug")), {
      isUnproven: false,
      signal,
    });
    await expect(taken).rejects.toThrow("bug");
  }
});
