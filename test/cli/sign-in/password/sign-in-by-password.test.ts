import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signInByPassword } from "../../../../src/cli/sign-in/password/sign-in-by-password.ts";
import type { PasswordSignInOptions } from "../../../../src/cli/sign-in/password/sign-in-by-password.ts";
import type { Session } from "../../../../src/client/session-login.ts";
import { startAuthServer } from "../../../fixtures/auth-server.ts";
import type { AuthServerStandIn, StandInAnswer } from "../../../fixtures/auth-server.ts";
import { Bench } from "../../auth/bench.ts";

const email = "bob@example.com";
const phrase = "correct horse battery";
const wrong = "The email address or the password is wrong";

let bench: Bench;
let server: AuthServerStandIn;
/** What the stand-in for a gateway answers to these credentials. */
let answer: (given: Record<string, unknown>) => StandInAnswer;
beforeEach(async () => {
  bench = new Bench();
  answer = (given) =>
    given["email"] === email && given["password"] === phrase ? accepted : refused();
  server = await startAuthServer(({ body }) => answer(JSON.parse(body)));
});
afterEach(async () => {
  bench.remove();
  await server.close();
});

const accepted: StandInAnswer = {
  status: 200,
  json: {
    access_token: "od_access",
    token_type: "bearer",
    expires_in: 3600,
    refresh_token: "od_refresh",
  },
};

function refused(status = 401, code = "auth_rejected", message = wrong): StandInAnswer {
  return { status, json: { error: { code, message } } };
}

/** A terminal on which a person types: it records whether what is typed is shown. */
class Terminal extends PassThrough {
  modes: boolean[] = [];
  setRawMode(mode: boolean): this {
    this.modes.push(mode);
    return this;
  }
  get isRestored(): boolean {
    return this.modes.at(-1) === false && this.destroyed;
  }
}

function signIn(options: Partial<PasswordSignInOptions> = {}): Promise<Session> {
  const login = `agent auth login --url ${server.url} --profile work`;
  return signInByPassword(
    { url: server.url, login, stdinTimeoutMs: 60_000, ...options },
    bench.context,
  );
}

/** Signs in with these keys pressed, all at once. */
async function typed(
  keys: string,
  options: Partial<PasswordSignInOptions> = {},
): Promise<{ session: Session | undefined; error: unknown; terminal: Terminal }> {
  const terminal = new Terminal();
  bench.stdin = terminal;
  bench.stdinIsTerminal = true;
  bench.terminal = true;
  terminal.write(keys);
  const [session, error] = await signIn(options).then(
    (got) => [got, undefined] as const,
    (thrown: unknown) => [undefined, thrown] as const,
  );
  return { session, error, terminal };
}

function sent(): unknown[] {
  return server.requests.map(({ body }): unknown => JSON.parse(body));
}

describe("on a terminal", () => {
  test("asks for the address, which is shown, and for the password, which is not", async () => {
    const { session, terminal } = await typed(` ${email}\n${phrase}\r`);
    expect(session?.credential).toEqual({
      token: "od_access",
      session: { refreshToken: "od_refresh" },
    });
    expect(bench.notes).toEqual([
      `Email address at ${server.url}:`,
      `Password of ${email} at ${server.url}:`,
    ]);
    // Raw while the password is typed alone.
    expect(terminal.modes).toEqual([true, false]);
    expect(terminal.isRestored).toBe(true);
    expect(sent()).toEqual([{ email, password: phrase }]);
  });

  test("asks for the password alone with --email", async () => {
    const { session } = await typed(`${phrase}\r`, { email });
    expect(session?.credential.token).toBe("od_access");
    expect(bench.notes).toEqual([`Password of ${email} at ${server.url}:`]);
  });

  test("all that is secret is masked from then on", async () => {
    await typed(`${phrase}\r`, { email });
    expect(bench.secrets.mask(`${phrase} od_access od_refresh`)).toBe("**** **** ****");
  });

  test("a wrong one may be typed again, twice", async () => {
    const { session } = await typed(`bob\nwrong\r${email}\nwrong too\r${email}\n${phrase}\r`);
    expect(session?.credential.token).toBe("od_access");
    expect(sent()).toHaveLength(3);
    expect(bench.notes).toContain(`${wrong}; try again`);
  });

  test("and no more often", async () => {
    const { error, terminal } = await typed("1\r2\r3\r4\r", { email });
    expect(error).toMatchObject({
      code: "auth_rejected",
      message: wrong,
      hint: expect.stringContaining("agent user passwd"),
    });
    expect(sent()).toHaveLength(3);
    expect(terminal.isRestored).toBe(true);
  });

  test("too many sign-ins end it, and say how long to wait", async () => {
    answer = () => ({ ...refused(429, "rate_limited", "No"), headers: { "retry-after": "9" } });
    const { error } = await typed("1\r2\r", { email });
    expect(error).toMatchObject({
      code: "rate_limited",
      message: `Too many sign-ins at ${server.url}; try again in 9 s`,
      retryAfterSeconds: 9,
    });
    expect(sent()).toHaveLength(1);
  });

  test("asks for the organisation where one of several must be named", async () => {
    answer = ({ organization }) =>
      organization === "acme"
        ? accepted
        : refused(400, "usage", "You are in several organisations: acme, globex");
    const { session } = await typed(`${phrase}\racme\n`, { email });
    expect(session?.credential.token).toBe("od_access");
    expect(bench.notes.slice(1)).toEqual([
      "You are in several organisations: acme, globex",
      "Organisation:",
    ]);
    expect(sent()).toEqual([
      { email, password: phrase },
      { email, password: phrase, organization: "acme" },
    ]);
  });

  test("does not ask when it was named and is refused", async () => {
    answer = () => refused(403, "forbidden", "You are not in that organisation");
    const { error } = await typed(`${phrase}\r`, { email, organization: "acme" });
    expect(error).toMatchObject({ code: "forbidden" });
  });

  test.each([
    ["no address", "\n", "No email address was given"],
    ["no address, at the end of the input", "\u0004", "No email address was given"],
    ["an address with white space", "bob smith\n", "no white space"],
    ["no password", `${email}\n\r`, "No password was given"],
    ["no password, at the end of the input", `${email}\n\u0004`, "No password was given"],
    ["a password that is not UTF-8", `${email}\nsecret\uFFFD\r`, "not UTF-8"],
    ["a password with a NUL", `${email}\nsecret\0\r`, "NUL"],
    ["a password without end", `${email}\n${"x".repeat(1025)}\r`, "at most 1024 bytes"],
  ])("is over before anybody is asked: %s", async (_what, keys, message) => {
    const { error, terminal } = await typed(keys);
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(message) });
    expect(String(error)).not.toContain("secret");
    expect(sent()).toEqual([]);
    expect(terminal.modes.at(-1) ?? false).toBe(false);
  });

  test("Ctrl-C while the password is typed", async () => {
    const { error, terminal } = await typed(`corr\u0003`, { email });
    expect(error).toMatchObject({ message: "interrupted" });
    expect(terminal.isRestored).toBe(true);
    expect(sent()).toEqual([]);
  });

  test("while the server is waited for the terminal is as it was, so that Ctrl-C is a signal", async () => {
    const held = server.hold();
    const asked = typed(`${phrase}\r`, { email });
    await held.arrived(1);
    expect(bench.stdin).toMatchObject({ modes: [true, false] });
    bench.context.interrupt();
    expect((await asked).error).toMatchObject({ message: "interrupted" });
    held.release();
  });

  test("a server that never answers is left when its time is over", async () => {
    server.trouble = { kind: "hangs" };
    bench.timeoutMs = 50;
    expect((await typed(`${phrase}\r`, { email })).error).toMatchObject({ code: "timeout" });
  });
});

describe("without a terminal", () => {
  test.each([`${phrase}\n`, `\uFEFF${phrase}\r\nmore\n`, phrase])(
    "the password is the first line of stdin: %j",
    async (text) => {
      bench.pipe(text);
      expect((await signIn({ email, organization: "acme" })).credential.token).toBe("od_access");
      expect(sent()).toEqual([{ email, password: phrase, organization: "acme" }]);
      expect(bench.secrets.mask(phrase)).toBe("****");
    },
  );

  test("spaces belong to it", async () => {
    bench.pipe(" two words \n");
    await expect(signIn({ email })).rejects.toMatchObject({ code: "auth_rejected" });
    expect(sent()).toEqual([{ email, password: " two words " }]);
  });

  test("a wrong one is tried once", async () => {
    bench.pipe("wrong\nwrong\n");
    await expect(signIn({ email })).rejects.toMatchObject({
      code: "auth_rejected",
      message: wrong,
      hint: expect.stringContaining("agent user passwd"),
    });
    expect(sent()).toHaveLength(1);
  });

  test("an empty pipe is said", async () => {
    bench.pipe("");
    await expect(signIn({ email })).rejects.toMatchObject({
      code: "usage",
      message: `No password of ${email} for ${server.url}`,
      hint: `agent auth login --url ${server.url} --profile work --email ${email} < password.txt`,
    });
    expect(bench.notes).toEqual(["stdin was empty: did the command before the pipe fail?"]);
    expect(sent()).toEqual([]);
  });

  test("an empty first line is no password", async () => {
    bench.pipe("\nsecond\n");
    await expect(signIn({ email })).rejects.toMatchObject({
      code: "usage",
      message: "No password was given",
    });
  });

  test("the organisation goes along", async () => {
    bench.pipe("");
    await expect(signIn({ email, organization: "acme" })).rejects.toMatchObject({
      hint: expect.stringContaining(`--email ${email} --organization acme < password.txt`),
    });
  });

  test("nobody's address: stdin is not touched", async () => {
    await expect(signIn()).rejects.toMatchObject({
      code: "usage",
      hint: `agent auth login --url ${server.url} --profile work --email <address> < password.txt`,
    });
  });

  test.each([
    ["stderr goes elsewhere", (): void => void (bench.terminal = false)],
    ["CI is set", (): void => void (bench.variables = { CI: "1" })],
  ])("nobody is asked where %s", async (_when, change) => {
    const terminal = new Terminal();
    bench.stdin = Object.assign(terminal, { fd: 1_000_000 });
    bench.stdinIsTerminal = true;
    bench.terminal = true;
    change();
    await expect(signIn({ email })).rejects.toMatchObject({
      code: "usage",
      hint: `agent auth login --url ${server.url} --profile work --email ${email} < password.txt`,
    });
    expect([...bench.notes, ...terminal.modes]).toEqual([]);
  });

  test("a pipe that brings nothing is given up", async () => {
    bench.stdin = new PassThrough();
    await expect(signIn({ email, stdinTimeoutMs: 30 })).rejects.toMatchObject({
      code: "usage",
      message: "No whole password came on stdin within 0.03 s",
    });
    expect(bench.notes).toEqual(["Waiting for a password on stdin"]);
  });

  test("an organisation that must be named is nobody's to ask for", async () => {
    answer = () => refused(400, "usage", "You are in several organisations: acme, globex");
    bench.pipe(`${phrase}\n`);
    await expect(signIn({ email })).rejects.toMatchObject({
      code: "usage",
      hint: "Name one: --organization <id>",
    });
  });
});
