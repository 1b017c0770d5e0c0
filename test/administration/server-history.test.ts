import { describe, expect, test } from "vitest";
import { createServerHistory } from "../../src/administration/server-history.ts";
import type { ChangeRow } from "../../src/core/change.ts";
import { AppError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";

const ann: Principal = { ...systemPrincipal, userId: "ann", displayName: "Ann", method: "local" };

/** A history over a file that is a map, and a storage that can be told to fail. */
function bench() {
  const memory = createMemoryStorage("instance");
  const state = {
    nowMs: 1_000,
    storageFails: false,
    writeFails: false,
    /** What happens between writing the file and being told that it is written. */
    onWritten: (): Promise<void> => Promise.resolve(),
    missing: [] as string[],
  };
  const file = new Map<string, JsonObject>();
  const errors: string[] = [];
  let ids = 0;
  const storage: Storage = {
    ...memory,
    withPrincipal: (principal, work) =>
      state.storageFails
        ? Promise.reject(new AppError("store_unavailable", "disk\nfull"))
        : memory.withPrincipal(principal, work),
  };
  const history = createServerHistory({
    storage,
    now: () => state.nowMs,
    newId: () => `id-${(ids += 1)}`,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message, fields) => errors.push(`${message} ${JSON.stringify(fields)}`),
    },
    writeEntry: async (name, entry) => {
      if (state.writeFails) throw new AppError("config_invalid", "changed");
      file.set(name, entry);
      await state.onWritten();
      return `print of ${JSON.stringify(entry)}`;
    },
    missingSecrets: () => Promise.resolve(state.missing),
  });
  const rows = (): Promise<ChangeRow[]> =>
    memory.withPrincipal(systemPrincipal, (tx) => tx.changes.list({ limit: 1_000 }));
  /** Newest first: who, what became of which server, and to what. */
  const told = async (): Promise<string[]> =>
    (await rows()).map(
      ({ actor, userId, action, entityId, before, after }) =>
        `${userId ?? actor} ${action} ${entityId}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
    );
  /** The file is saved with these entries, and read. */
  const save = (entries: Record<string, JsonObject>): Promise<void> => {
    file.clear();
    for (const [name, entry] of Object.entries(entries)) file.set(name, entry);
    return history.record(file);
  };
  return { state, file, errors, history, rows, told, save };
}

const one = { command: "one" };
const two = { command: "two" };

describe("recording the servers of the file", () => {
  test("writes a row for each that came, changed or went, and none for what stayed", async () => {
    const { save, told, rows } = bench();
    await save({ a: one, b: one, c: one });
    await save({ a: one, b: two, d: one });
    await save({ d: one, b: two, a: one });
    await expect(told()).resolves.toEqual([
      'file created d: null → {"command":"one"}',
      'file changed b: {"command":"one"} → {"command":"two"}',
      'file deleted c: {"command":"one"} → null',
      'file created c: null → {"command":"one"}',
      'file created b: null → {"command":"one"}',
      'file created a: null → {"command":"one"}',
    ]);
    const [row] = await rows();
    expect(row).toMatchObject({
      timeMs: 1_000,
      actor: "file",
      userId: null,
      organizationId: null,
      entity: "server",
      entityId: "d",
    });
    expect(new Set((await rows()).map(({ id }) => id)).size).toBe(6);
  });

  test("compares with what is recorded, so that a new process goes on where the last one ended", async () => {
    const { history, save, told } = bench();
    await save({ a: one });
    await history.record(new Map([["a", one]]));
    await history.record(new Map());
    await history.record(new Map());
    await history.record(new Map([["a", one]]));
    await expect(told()).resolves.toEqual([
      'file created a: null → {"command":"one"}',
      'file deleted a: {"command":"one"} → null',
      'file created a: null → {"command":"one"}',
    ]);
  });

  test("keeps the order of keys and what it does not know, and takes another order for no change", async () => {
    const { save, rows } = bench();
    const entry = { zeta: { b: 1, a: [null] }, command: "x", env: { Z: "${Z}", A: "" } };
    await save({ a: entry });
    await save({ a: { command: "x", env: { A: "", Z: "${Z}" }, zeta: { a: [null], b: 1 } } });
    const [row, ...others] = await rows();
    expect(JSON.stringify(row?.after)).toBe(JSON.stringify(entry));
    expect(others).toEqual([]);
  });

  test("takes lists in another order, and names like those every object has, for what they are", async () => {
    const { save, told } = bench();
    await save({ a: { args: ["1", "2"] }, constructor: one });
    await save({ a: { args: ["2", "1"] }, constructor: one });
    await expect(told()).resolves.toEqual([
      'file changed a: {"args":["1","2"]} → {"args":["2","1"]}',
      'file created constructor: null → {"command":"one"}',
      'file created a: null → {"args":["1","2"]}',
    ]);
  });

  test("never fails: a storage that does is logged on one line, and the next record catches up", async () => {
    const { state, save, told, errors } = bench();
    await save({ a: one });
    state.storageFails = true;
    await expect(save({ a: two, b: one })).resolves.toBeUndefined();
    expect(errors).toEqual([expect.stringContaining('"disk full"')]);
    state.storageFails = false;
    await save({ a: two });
    await expect(told()).resolves.toEqual([
      'file changed a: {"command":"one"} → {"command":"two"}',
      'file created a: null → {"command":"one"}',
    ]);
  });

  test("is done one after the other, in the order asked", async () => {
    const { history, told } = bench();
    await Promise.all([
      history.record(new Map([["a", one]])),
      history.record(new Map([["a", two]])),
      history.record(new Map()),
    ]);
    await expect(told()).resolves.toEqual([
      'file deleted a: {"command":"two"} → null',
      'file changed a: {"command":"one"} → {"command":"two"}',
      'file created a: null → {"command":"one"}',
    ]);
  });
});

describe("restoring a server", () => {
  test("that was deleted writes its last entry, and the change that comes of it is the person's", async () => {
    const { save, history, file, told, state } = bench();
    await save({ a: one, b: two });
    await save({ b: two });
    await expect(history.restore("a", () => ann)).resolves.toMatchObject({
      row: { entityId: "a", action: "deleted", before: one },
      missingSecrets: [],
    });
    expect(file.get("a")).toEqual(one);
    state.nowMs += 60_000;
    await history.record(file);
    expect((await told())[0]).toBe('ann restored a: null → {"command":"one"}');
  });

  test("that was changed goes back and forth", async () => {
    const { save, history, file, told } = bench();
    await save({ a: one });
    await save({ a: two });
    for (const expected of [one, two, one]) {
      await history.restore("a", () => ann);
      expect(file.get("a")).toEqual(expected);
      await history.record(file);
    }
    expect((await told())[0]).toBe('ann changed a: {"command":"two"} → {"command":"one"}');
  });

  test("whose secrets are not kept any more is written disabled, and they are named", async () => {
    const { save, history, file, told, state } = bench();
    const keyed = { command: "one", env: { KEY: "${secret:a/KEY}" } };
    await save({ a: keyed });
    await save({});
    state.missing = ["a/KEY"];
    const off = { ...keyed, disabled: true };
    expect(await history.restore("a", () => ann)).toMatchObject({
      missingSecrets: ["a/KEY"],
      fingerprint: `print of ${JSON.stringify(off)}`,
    });
    expect(file.get("a")).toEqual(off);
    await save({ a: off });
    expect((await told())[0]).toBe(`ann restored a: null → ${JSON.stringify(off)}`);
  });

  test("that came back after it was deleted has the entry of before", async () => {
    const { save, history, file } = bench();
    await save({ a: one });
    await save({});
    await save({ a: two });
    await history.restore("a", () => ann);
    expect(file.get("a")).toEqual(one);
    await history.record(file);
    // What it has now is no earlier entry.
    await save({});
    await save({ a: one });
    await history.restore("a", () => ann);
    expect(file.get("a")).toEqual(two);
  });

  test("finds the earlier entry behind many rows of the present one", async () => {
    const { save, history, file } = bench();
    await save({ a: two });
    for (let time = 0; time < 120; time += 1) {
      await save({ a: one });
      await save({});
    }
    await save({ a: one });
    await history.restore("a", () => ann);
    expect(file.get("a")).toEqual(two);
  });

  test.each(["new", "unknown", "it's; rm -rf /", "__proto__", "x\u001b[2Jy"])(
    "without an earlier entry is not found: %j",
    async (name) => {
      const { save, history, file } = bench();
      await save({ new: one, other: one });
      await save({ new: one, other: two });
      const restoring = history.restore(name, () => ann);
      await expect(restoring).rejects.toMatchObject({ code: "not_found" });
      await expect(restoring).rejects.toHaveProperty(
        "message",
        `The history has no earlier entry of a server ${JSON.stringify(name)}`,
      );
      await expect(restoring).rejects.toHaveProperty(
        "hint",
        expect.stringMatching(/^agent history --entity server --id /u),
      );
      expect([...file]).toEqual([
        ["new", one],
        ["other", two],
      ]);
    },
  );

  test("that cannot be written is not said to be the person's later", async () => {
    const { save, history, told, state } = bench();
    await save({ a: one });
    await save({ a: two });
    state.writeFails = true;
    await expect(history.restore("a", () => ann)).rejects.toMatchObject({ code: "config_invalid" });
    await save({ a: one });
    expect((await told())[0]).toBe('file changed a: {"command":"two"} → {"command":"one"}');
  });

  test.each(["at once", "while it was looked up"])(
    "is not written for who may not: %s",
    async (when) => {
      const { save, history, file } = bench();
      await save({ a: one });
      await save({ a: two });
      const refusal = new AppError("forbidden", "no");
      let asked = 0;
      const restoring = history.restore("a", () => {
        asked += 1;
        if (when === "at once" || asked > 1) throw refusal;
        return ann;
      });
      await expect(restoring).rejects.toBe(refusal);
      expect(file.get("a")).toEqual(two);
    },
  );

  test("is told when the storage fails, and nothing is written", async () => {
    const { save, history, file, state } = bench();
    await save({ a: one });
    await save({ a: two });
    state.storageFails = true;
    await expect(history.restore("a", () => ann)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(file.get("a")).toEqual(two);
  });

  test("is the person's change only where that very entry comes, and soon", async () => {
    const { save, history, told, state } = bench();
    await save({ a: one, b: one });
    await save({ a: two, b: two });
    await history.restore("a", () => ann);
    await history.restore("b", () => ann);
    // What was read before the restored entry was there does not use it up.
    await save({ a: two, b: two });
    await save({ a: { command: "three" }, b: two });
    expect((await told())[0]).toBe('file changed a: {"command":"two"} → {"command":"three"}');
    state.nowMs += 60_001;
    await save({ a: { command: "three" }, b: one });
    expect((await told())[0]).toBe('file changed b: {"command":"two"} → {"command":"one"}');
  });

  test("is the person's once: the same change again is the file's", async () => {
    const { save, history, told } = bench();
    await save({ a: one });
    await save({ a: two });
    await history.restore("a", () => ann);
    await save({ a: one });
    await save({ a: two });
    await save({ a: one });
    expect((await told()).slice(0, 3)).toEqual([
      'file changed a: {"command":"two"} → {"command":"one"}',
      'file changed a: {"command":"one"} → {"command":"two"}',
      'ann changed a: {"command":"two"} → {"command":"one"}',
    ]);
  });

  test("is the person's also where the storage failed when the change came", async () => {
    const { save, history, told, state, file } = bench();
    await save({ a: one });
    await save({ a: two });
    await history.restore("a", () => ann);
    state.storageFails = true;
    await history.record(file);
    state.storageFails = false;
    await history.record(file);
    expect((await told())[0]).toBe('ann changed a: {"command":"two"} → {"command":"one"}');
  });

  test("is the person's also where the file is read before the write has ended", async () => {
    const { save, history, told, state, file } = bench();
    await save({ a: one });
    await save({ a: two });
    let recorded = Promise.resolve();
    state.onWritten = async () => {
      recorded = history.record(file);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    await history.restore("a", () => ann);
    await recorded;
    expect((await told())[0]).toBe('ann changed a: {"command":"two"} → {"command":"one"}');
  });
});
