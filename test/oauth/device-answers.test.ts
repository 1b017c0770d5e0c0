import { describe, expect, test } from "vitest";
import { beginDeviceAuthorization } from "../../src/oauth/begin-device-authorization.ts";
import { client, good, issuer, saying, target } from "./example-server.ts";
import type { Said } from "./example-server.ts";
import { createDependencies, failureOf } from "./oauth-dependencies.ts";

describe("a device", () => {
  const code = {
    device_code: "device",
    user_code: "ABCD-EFGH",
    verification_uri: `${issuer}/enter`,
    expires_in: 600,
  };
  const pending = { status: 400, json: { error: "authorization_pending" } };

  const begin = async (answers: Said[], changes: object = {}, stop = new AbortController()) => {
    const deps = createDependencies({
      ask: saying({ json: { ...code, ...changes } }, ...answers),
      signal: stop.signal,
    });
    const startMs = deps.now();
    const begun = await beginDeviceAuthorization(target, client, deps);
    return { begun, deps, waitedMs: () => deps.now() - startMs };
  };

  test("waits as long as the server says, and longer when it is told to slow down", async () => {
    const slower = { status: 400, json: { error: "slow_down" } };
    const { begun, deps, waitedMs } = await begin([pending, slower, pending, { json: good }], {
      interval: 2,
    });
    expect((await begun.finish()).accessToken).toBe("token");
    expect(waitedMs()).toBe((2 + 2 + 7 + 7) * 1000);
    expect(deps.learnt).toContain("device");
  });

  test.each([
    [1e-9, 1],
    [0.5, 1],
    [0, 5],
    [-1, 5],
    ["soon", 5],
    [undefined, 5],
    [1e9, 60],
  ])("asks with an interval of %j every %j seconds", async (interval, seconds) => {
    const { begun, waitedMs } = await begin([pending, { json: good }], { interval });
    await begun.finish();
    expect(waitedMs()).toBe(2 * seconds * 1000);
  });

  test("does not ask more often than once a second for as long as its code is good", async () => {
    const { begun, deps } = await begin([pending], { interval: 1e-9, expires_in: 1e9 });
    expect(await failureOf(begun.finish())).toMatchObject({ code: "timeout" });
    expect(deps.asked.length).toBeLessThanOrEqual(30 * 60);
  });

  test.each([
    ["access_denied", "auth_rejected", "login.example refused the sign-in: access_denied"],
    ["expired_token", "timeout"],
    ["made_up", "auth_rejected", "login.example refused: made_up"],
  ])("ends at %s", async (error, expected, message?: string) => {
    const { begun } = await begin([pending, { status: 400, json: { error } }]);
    expect(await failureOf(begun.finish())).toMatchObject({
      code: expected,
      ...(message !== undefined && { message }),
    });
  });

  test("says in the server's words why it ends", async () => {
    const json = { error: "access_denied", error_description: "You\nsaid no" };
    const { begun } = await begin([{ status: 400, json }]);
    expect(await failureOf(begun.finish())).toMatchObject({
      message: "login.example refused the sign-in: You said no (access_denied)",
    });
  });

  test("ends when its code does", async () => {
    const { begun, deps } = await begin([pending]);
    expect(await failureOf(begun.finish())).toMatchObject({ code: "timeout" });
    expect(deps.now()).toBeGreaterThanOrEqual(begun.expiresAtMs);
  });

  test("bears trouble for a while, and not for ever", async () => {
    const trouble = { status: 502 };
    const { begun } = await begin([trouble, trouble, trouble, { json: good }]);
    expect((await begun.finish()).accessToken).toBe("token");
    const gone = await begin([trouble]);
    expect(await failureOf(gone.begun.finish())).toMatchObject({ code: "unreachable" });
  });

  test("stops at once when the person does", async () => {
    const stop = new AbortController();
    const { begun } = await begin([pending], {}, stop);
    stop.abort(new Error("stopped by the person"));
    expect(await failureOf(begun.finish())).toMatchObject({ message: "stopped by the person" });
  });

  test("stops in the middle of a wait by Node's own timer", async () => {
    const stop = new AbortController();
    const deps = createDependencies({
      ask: saying({ json: { ...code, interval: 60 } }),
      signal: stop.signal,
      wait: undefined,
    });
    const finishing = failureOf((await beginDeviceAuthorization(target, client, deps)).finish());
    stop.abort(new Error("stopped by the person"));
    expect(await finishing).toMatchObject({ message: "stopped by the person" });
  });

  test.each([
    [{ device_code: undefined }],
    [{ device_code: "a\nb" }],
    [{ user_code: undefined }],
    [{ user_code: "\u001b[31mABCD" }],
    [{ user_code: "x".repeat(65) }],
    [{ verification_uri: undefined }],
    [{ verification_uri: "http://login.example/enter" }],
    [{ verification_uri: "javascript:alert(1)" }],
    [{ verification_uri: "http://127.0.0.1/enter" }],
  ])("is not begun with %j", async (changes) => {
    expect(await failureOf(begin([], changes))).toMatchObject({ code: "auth_rejected" });
  });

  test("does not show a whole address that is not safe", async () => {
    const { begun } = await begin([], { verification_uri_complete: "javascript:alert(1)" });
    expect(begun.verificationUriComplete).toBeUndefined();
    const more = await begin([], { verification_uri_complete: `${issuer}/enter?code=x` });
    expect(more.begun.verificationUriComplete).toBe(`${issuer}/enter?code=x`);
  });

  test.each([
    [undefined, 1800],
    [1e300, 1800],
    [-5, 1800],
    ["90", 90],
  ])("waits for a code of %j seconds for %j", async (value, seconds) => {
    const { begun, deps } = await begin([], { expires_in: value });
    expect(begun.expiresAtMs - deps.now()).toBe(seconds * 1000);
  });

  test("is not begun where there is no such sign-in", async () => {
    const { deviceAuthorizationEndpoint: _none, ...server } = target.server;
    const begun = beginDeviceAuthorization({ ...target, server }, client, createDependencies());
    expect(await failureOf(begun)).toMatchObject({ code: "usage" });
  });
});
