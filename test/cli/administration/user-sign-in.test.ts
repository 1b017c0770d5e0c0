import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUser } from "../../../src/cli/commands/user.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { FakeDoor } from "../auth/bench.ts";
import { acme, AdministrationBench, refusal } from "./fake-gateway.ts";

let bench: AdministrationBench;
let user: ReturnType<typeof createUser>;
beforeEach(async () => {
  bench = await AdministrationBench.start();
  user = createUser(bench.dependencies);
  bench.answer = () => [200, row];
  bench.doors[bench.url] = { ways: ["local", "simple"] };
});
afterEach(() => bench.stop());

const row = { ...acme, id: "bob", name: "Bob", passwordSetAt: null, disabledAt: null };
const json = { json: true, format: "json" } as const;
const phrase = "correct horse battery";
const question = `PUT /api/v1/admin/users/bob/password {"password":"${phrase}"}`;

/** A terminal on which a person types: it records whether what is typed is shown. */
class Terminal extends PassThrough {
  readonly modes: boolean[] = [];
  #onHidden: () => void = () => undefined;
  /** From when on what is typed is not shown. */
  readonly hidden = new Promise<void>((resolve) => {
    this.#onHidden = resolve;
  });
  setRawMode(mode: boolean): this {
    // One that is closed takes no modes any more, and says nothing of it.
    if (!this.destroyed) this.modes.push(mode);
    this.#onHidden();
    return this;
  }
  /** Shown again, once and for all. */
  get isRestored(): boolean {
    return this.modes.join() === "true,false" && this.destroyed;
  }
}

/** Runs `agent user passwd bob` with these keys pressed, each chunk when the one before is taken. */
async function onTerminal(...keys: (string | Buffer)[]): Promise<Terminal> {
  const terminal = terminalWith(...keys);
  await bench.run(user.passwd, { id: "bob" });
  return terminal;
}

function terminalWith(...keys: (string | Buffer)[]): Terminal {
  const terminal = new Terminal();
  bench.stdin = terminal;
  bench.stdinIsTerminal = true;
  bench.terminal = true;
  for (const key of keys) terminal.write(key);
  return terminal;
}

const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("agent user disable and enable", () => {
  it("say what they did", async () => {
    await bench.run(user.disable, { id: "bob" });
    await bench.run(user.enable, { id: "bob" });
    expect(bench.asked).toEqual([
      "POST /api/v1/admin/users/bob/disable",
      "POST /api/v1/admin/users/bob/enable",
    ]);
    expect(bench.stdout).toBe("Disabled user bob\nEnabled user bob\n");
    bench.stdout = "";
    await bench.run(user.disable, { id: "bob", ...json });
    expect(JSON.parse(bench.stdout)).toEqual(row);
  });

  it.each(["", "Bob", "../x", "a b"])("take no id that can be none: %j", async (id) => {
    for (const command of [user.disable, user.enable, user.passwd]) {
      expect((await bench.failure(command, { id })).code).toBe("usage");
    }
    expect(bench.asked).toEqual([]);
  });
});

describe("agent user list", () => {
  it("says how each signs in", async () => {
    const time = "2026-11-02T00:00:00.000Z";
    const users = [
      row,
      { ...row, id: "eve", passwordSetAt: time },
      { ...row, id: "mal", passwordSetAt: time, disabledAt: time },
      { ...acme, id: "old" },
    ];
    bench.answer = () => [200, { users, next: null }];
    await bench.run(user.list, { deleted: false });
    expect(bench.stdout).toBe(
      [
        "ID   NAME  SIGN-IN   ADDED",
        "bob  Bob   none      2026-11-01",
        "eve  Bob   password  2026-11-01",
        "mal  Bob   disabled  2026-11-01",
        // Of an older gateway, which says nothing of it.
        "old  Acme  -         2026-11-01\n",
      ].join("\n"),
    );
    bench.stdout = "";
    await bench.run(user.list, { deleted: false, ...json });
    expect(JSON.parse(bench.stdout)).toEqual(users);
  });
});

describe("a password on a terminal", () => {
  it("is asked for twice and not shown", async () => {
    const terminal = await onTerminal(`${phrase}\r`, `${phrase}\r`);
    expect(bench.notes.slice(1)).toEqual(["New password of bob:", "Once more:"]);
    expect(bench.asked).toEqual([question]);
    expect(bench.stdout).toBe("Set the password of bob; sessions of before are over\n");
    expect(terminal.isRestored).toBe(true);
    expect(bench.secrets.mask(`not ${phrase}`)).toBe("not ****");
  });

  it("is told with how many tokens outlast it", async () => {
    bench.answer = () => [200, { ...row, livePersonalTokens: 2 }];
    await onTerminal(`${phrase}\r`, `${phrase}\r`);
    expect(bench.notes.at(-1)).toBe(
      "2 tokens made for the user still let in: agent token list --user bob",
    );
  });

  it("may come in pieces of characters, or all at once", async () => {
    const keys = Buffer.from(`gr\u00FC\u00DFe an alle\r`);
    const terminal = await onTerminal(keys.subarray(0, 3), keys.subarray(3), keys);
    expect(bench.asked[0]).toContain("gr\u00FC\u00DFe an alle");
    expect(terminal.isRestored).toBe(true);
    await onTerminal(`${phrase}\r${phrase}\r`);
    expect(bench.asked[1]).toBe(question);
  });

  it.each([
    ["two that differ", [`${phrase}\r`, `${phrase}!\r`], "The two passwords are not the same"],
    ["one that is too short, before it is asked for again", ["short\r"], "at least 12"],
    ["one with a Tab in it", [`${phrase}\t\r`], "control characters"],
    ["none", ["\r"], "No password was given"],
    ["none, at the end of the input", ["\u0004"], "No password was given"],
    ["none the second time", [`${phrase}\r`, "\u0004"], "The two passwords are not the same"],
    ["one without end", ["x".repeat(5000)], "No line is that long"],
  ])("is refused: %s", async (_what, keys, words) => {
    const error = await failureOf(onTerminal(...keys));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(words) });
    expect(String(error)).not.toContain(phrase);
    expect(bench.asked).toEqual([]);
    expect(bench.stdin).toMatchObject({ isRestored: true });
  });

  it.each([["\u0003"], [`${phrase}\u0003`], [`${phrase}\r\u0003`]])(
    "is given up with Ctrl-C: %j",
    async (keys) => {
      expect(await failureOf(onTerminal(keys))).toMatchObject({ message: "interrupted" });
      expect(bench.stdin).toMatchObject({ isRestored: true });
      expect(bench.asked).toEqual([]);
    },
  );

  it("is given up when the command is ended from outside", async () => {
    const terminal = terminalWith("half a pass");
    const waiting = failureOf(bench.run(user.passwd, { id: "bob" }));
    await terminal.hidden;
    bench.context.interrupt();
    expect(await waiting).toMatchObject({ message: "interrupted" });
    expect(terminal.isRestored).toBe(true);
  });

  it("is given up when the terminal is gone", async () => {
    const terminal = terminalWith("half a pass");
    terminal.end();
    const error = await failureOf(bench.run(user.passwd, { id: "bob" }));
    expect(error).toMatchObject({ message: "No password was given; nothing was changed" });
    expect(bench.asked).toEqual([]);
  });

  it("is not asked for where no gateway runs", async () => {
    await bench.goAway();
    const terminal = terminalWith(`${phrase}\r`);
    const failure = await bench.failure(user.passwd, { id: "bob" });
    expect([failure.code, bench.notes, terminal.modes]).toEqual(["unreachable", [], []]);
  });
});

describe("a password from a pipe", () => {
  it.each([
    ["with a line end", `${phrase}\n`],
    ["without one", phrase],
    ["of Windows", `\uFEFF${phrase}\r\n`],
    ["with more after it", `${phrase}\nsomething else\n`],
  ])("is its first line: %s", async (_what, text) => {
    bench.pipe(text);
    await bench.run(user.passwd, { id: "bob", ...json });
    expect(bench.asked).toEqual([question]);
    expect(JSON.parse(bench.stdout)).toEqual(row);
    expect(bench.notes).toEqual([]);
  });

  it("keeps its spaces", async () => {
    bench.pipe(`  ${phrase} \n`);
    await bench.run(user.passwd, { id: "bob" });
    expect(bench.asked).toEqual([question.replace(phrase, `  ${phrase} `)]);
  });

  it.each([
    ["", "No password was given"],
    ["\n", "No password was given"],
    ["short\n", "at least 12"],
    [`${phrase}\u0000\n`, "control characters"],
    ["x".repeat(2000), "at most 1024 bytes"],
    ["x".repeat(70_000), "The password on stdin is longer than 64 KiB"],
  ])("is refused where it is none: %.30j", async (text, words) => {
    bench.pipe(text);
    const { code, message } = await bench.failure(user.passwd, { id: "bob" });
    expect([code, message]).toEqual(["usage", expect.stringContaining(words)]);
    expect(bench.asked).toEqual([]);
  });

  it("is refused where it is not UTF-8", async () => {
    const pipe = new PassThrough();
    pipe.end(Buffer.from("correct h\u00F6rse battery\n", "latin1"));
    bench.stdin = pipe;
    expect((await bench.failure(user.passwd, { id: "bob" })).message).toContain("not UTF-8");
  });
});

/** What is said where the gateway says this of its ways in. */
const notesWith = async (door: FakeDoor, more: object = {}): Promise<string[]> => {
  bench.doors[bench.url] = door;
  bench.notes.length = 0;
  bench.pipe(`${phrase}\n`);
  await bench.run(user.passwd, { id: "bob", ...more });
  return bench.notes;
};

it("says where nobody gets in with the password, as where an issuer has the users", async () => {
  const note =
    'Nobody can sign in with a password at this gateway until its auth lists "simple" with users of its own';
  const supabase = { type: "simple", description: "", issuer: "https://x.supabase.co/auth/v1" };
  expect(await notesWith({ ways: ["local"] })).toEqual([note]);
  expect(await notesWith({ ways: ["local", supabase] })).toEqual([note]);
  expect(await notesWith({ open: true })).toEqual([note]);
  expect(await notesWith({ ways: [{ type: "simple", description: "" }] })).toEqual([]);
  expect(await notesWith({ down: true })).toEqual([]);
  expect(await notesWith({ ways: ["local"] }, json)).toEqual([]);
});

it("hints at what a password is, and at how to give one", async () => {
  bench.pipe("short\n");
  const short = await bench.failure(user.passwd, { id: "bob" });
  expect(short.hint).toMatch(/^At least 12 characters, at most 1024 bytes, and not the user's id/u);
  bench.pipe("");
  const none = await bench.failure(user.passwd, { id: "bob" });
  expect(none.hint).toContain("agent user passwd <id> < password.txt");
});

it("says what the gateway says of a password, and never the password", async () => {
  bench.answer = () => refusal(400, "usage", `A password is not the user's id: ${phrase}`);
  bench.pipe(`${phrase}\n`);
  const failure = await bench.failure(user.passwd, { id: "bob" });
  expect(failure.code).toBe("usage");
  // Whatever a gateway repeats is masked where it is printed.
  expect(bench.secrets.mask(failure.message)).not.toContain(phrase);
});
