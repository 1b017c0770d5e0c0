import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCallbackListener } from "../../../../src/cli/sign-in/web/callback-listener.ts";
import type { CallbackListener } from "../../../../src/cli/sign-in/web/callback-listener.ts";

const authorizationUrl = new URL("https://as.example/authorize?state=right");
let listener: CallbackListener;
let uninvited: string[];
let answer: Promise<URL>;
let start: string;

beforeEach(async () => {
  uninvited = [];
  listener = await startCallbackListener(0, (who) => uninvited.push(who));
  answer = listener.answerTo("right");
  answer.catch(() => undefined);
  start = listener.offerStart(authorizationUrl);
});
afterEach(() => {
  listener.close();
});

const get = (address: string, cookie?: string): Promise<Response> =>
  fetch(address, { redirect: "manual", headers: cookie === undefined ? {} : { cookie } });

/** @returns the cookie as a browser sends it back */
async function visit(): Promise<string> {
  const response = await get(start);
  expect(response.status).toBe(303);
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

const callback = (): string => `${listener.redirectUri}?code=the-code&state=right`;

describe("the page that a browser is started with", () => {
  it("is no address that says anything, and leads to the authorization server with a cookie", async () => {
    expect(start).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43}$/u);
    const response = await get(start);
    expect(response.headers.get("location")).toBe(authorizationUrl.href);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^onedoor-sign-in-${listener.port}=[\\w-]{43}; Path=/; Max-Age=300; HttpOnly; SameSite=Lax$`,
          "u",
        ),
      ),
    ]);
  });

  it("has the answer taken from the browser that was there, among whatever cookies, and from no other", async () => {
    const cookie = await visit();
    expect((await get(callback())).status).toBe(400);
    expect((await get(callback(), `${cookie}x`)).status).toBe(400);
    expect((await get(callback(), `${cookie.split("=")[0]}=`)).status).toBe(400);
    expect(uninvited).toEqual(["stray", "stray", "stray"]);
    expect((await get(callback(), `a=1; ${cookie}; b=2`)).status).toBe(303);
    expect((await answer).searchParams.get("code")).toBe("the-code");
    expect((await get(start, cookie)).status).toBe(404);
  });

  it("has no answer taken from whoever was not there", async () => {
    expect((await get(callback())).status).toBe(400);
    expect(uninvited).toEqual(["stray"]);
  });

  it("may be opened again by the same browser", async () => {
    const cookie = await visit();
    expect((await get(start, cookie)).status).toBe(303);
    await get(callback(), cookie);
    expect((await answer).searchParams.get("code")).toBe("the-code");
  });

  it("ends the sign-in when another browser comes, too", async () => {
    await visit();
    const page = await get(start);
    expect(page.status).toBe(403);
    expect(await page.text()).toContain("Somebody else opened the page of this sign-in");
    await expect(answer).rejects.toMatchObject({
      code: "auth_rejected",
      message: "Somebody else opened the page of this sign-in",
    });
  });

  it("can be taken back as long as nobody has been there: the answer needs no cookie then", async () => {
    expect(listener.withdrawStart()).toBe(true);
    expect((await get(start)).status).toBe(404);
    expect((await get(callback())).status).toBe(303);
  });

  it("stays once somebody has been there", async () => {
    await visit();
    expect(listener.withdrawStart()).toBe(false);
    expect((await get(callback())).status).toBe(400);
  });

  it("is not where another name or a wrong number leads", async () => {
    expect((await get(`${start}x`)).status).toBe(404);
    expect((await get(start.replace(/[^/]*$/u, ""))).status).toBe(404);
    await visit();
  });
});

/** The status and page that a program of another user gets. */
async function asNobody(address: string, host = "127.0.0.1"): Promise<string> {
  const script = `
      const { request } = require("node:http");
      const { port, host, pathname, search } = new URL(process.argv[1]);
      const path = pathname + search;
      request({ host: process.argv[2], port, path, headers: { host } }, (answer) => {
        let text = answer.statusCode + " ";
        answer.on("data", (data) => (text += data)).on("end", () => console.log(text));
      }).end();`;
  const other = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const program = [process.execPath, "-e", script, address, host];
  const { stdout } = await promisify(execFile)("setpriv", [...other, ...program], { cwd: "/" });
  return stdout;
}

// Only root can become somebody else here.
describe.runIf(process.platform === "linux" && process.getuid?.() === 0)("another user", () => {
  it.each(["127.0.0.1", "::ffff:127.0.0.1"])(
    "is turned away from the page and from the answer, by %s, and the sign-in goes on",
    async (host) => {
      expect(await asNobody(start, host)).toMatch(/^403 .*This sign-in is not yours/su);
      const cookie = await visit();
      expect(await asNobody(callback(), host)).toMatch(/^403 /u);
      expect(uninvited).toEqual(["other-user", "other-user"]);
      expect((await get(callback(), cookie)).status).toBe(303);
    },
  );

  it("may bring the answer where the address was shown on the terminal alone", async () => {
    listener.withdrawStart();
    expect(await asNobody(callback())).toMatch(/^303 /u);
  });
});
