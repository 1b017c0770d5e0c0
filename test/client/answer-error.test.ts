import { expect, test } from "vitest";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { errorOfAnswer } from "../../src/client/answer-error.ts";
import { errorCodes } from "../../src/core/errors.ts";

const url = "https://gate.example/api/v1/inspect?secret=1";

function errorBody(code: string, message: string, more: object = {}): object {
  return { error: { code, message, ...more } };
}

test("a gateway's own error stays what it is", () => {
  const json = errorBody("not_found", "There is no server evrything", { hint: "Did you mean x?" });
  const error = errorOfAnswer(url, { status: 404, headers: {}, json }, true, true);
  expect(error.toBody()).toEqual(json);
});

test("401 is about the credential only when one was sent", () => {
  expect(errorOfAnswer(url, { status: 401, headers: {} }, false)).toMatchObject({
    code: "auth_required",
    hint: "agent auth login",
  });
  expect(errorOfAnswer(url, { status: 401, headers: {} }, true)).toMatchObject({
    code: "auth_rejected",
    hint: "agent auth login",
  });
});

test.each([
  [403, "forbidden"],
  [429, "rate_limited"],
  [404, "unreachable"],
  [500, "unreachable"],
  [502, "unreachable"],
] as const)("%i without a body of ours is %s", (status, code) => {
  expect(errorOfAnswer(url, { status, headers: {}, json: "<html>" }, true).code).toBe(code);
});

test("how long to wait comes from the body, else from the header", () => {
  const headers = { "retry-after": "7" };
  expect(errorOfAnswer(url, { status: 429, headers }, true).retryAfterSeconds).toBe(7);
  const json = errorBody("rate_limited", "Too many", { retryAfterSeconds: 3 });
  expect(errorOfAnswer(url, { status: 429, headers, json }, true).retryAfterSeconds).toBe(3);
});

test("a code nobody knows, a message of many lines, and no query in the address", () => {
  const unknown = errorBody("made_up", "x");
  expect(errorOfAnswer(url, { status: 418, headers: {}, json: unknown }, true).message).toBe(
    "https://gate.example/api/v1/inspect answered with HTTP 418",
  );
  const long = errorBody("usage", `a\n\n${"b".repeat(5000)}`);
  const { message } = errorOfAnswer(url, { status: 400, headers: {}, json: long }, true);
  expect(message).not.toContain("\n");
  expect(message.length).toBeLessThanOrEqual(2000);
});

const body = (code: string) => ({ error: { code, message: "No", hint: "rm -rf ~" } });

test("only the own gateway's hints pass for ours", () => {
  for (const code of ["not_found", "auth_rejected", "internal", "usage"]) {
    const answer = { status: 400, headers: {}, json: body(code) };
    expect(errorOfAnswer(url, answer, true).hint ?? "").not.toContain("rm");
    expect(errorOfAnswer(url, answer, true, true).hint).toBe("rm -rf ~");
  }
  const rejected = { status: 401, headers: {}, json: body("auth_rejected") };
  expect(errorOfAnswer(url, rejected, true).hint).toBe("agent auth login");
});

test("what is asked in plain http of a gateway with a certificate says how to ask it", () => {
  const json = errorBody("usage", "Only https is spoken here", { hint: "rm -rf ~" });
  const error = errorOfAnswer("http://127.0.0.1:3050/x", { status: 400, headers: {}, json }, false);
  expect(error.toBody().error).toEqual({
    code: "usage",
    message: "Only https is spoken here",
    hint: "Begin the address with https://",
  });
});

test("a fault that a gateway tells of leaves nobody without a hint", () => {
  const json = errorBody("unreachable", "The auth server does not answer");
  expect(errorOfAnswer(url, { status: 503, headers: {}, json }, true)).toMatchObject({
    message: "The auth server does not answer",
    hint: "The fault is on the server's side; try again later",
  });
});

test.each(errorCodes)("whatever a 5xx says, it judges nobody: %s", (code) => {
  const json = errorBody(code, "The token is not good", { scopes: ["admin"] });
  for (const status of [500, 503]) {
    const error = errorOfAnswer(url, { status, headers: {}, json }, true, true);
    expect([1, 3, 5, 6]).toContain(exitCodeOf(error.code));
    const isItsOwn = /^(?:un|timeout|upstream_|store_|tool_|rate_)/u.test(code);
    expect(error).toMatchObject(
      isItsOwn
        ? { code, message: "The token is not good" }
        : {
            code: "unreachable",
            message: `https://gate.example/api/v1/inspect answered with HTTP ${status}`,
            hint: "The fault is on the server's side; try again later",
          },
    );
  }
});

test.each([
  [-5, 1],
  [0.2, 1],
  [1e9, 86_400],
  ["soon", 7],
])("a wait of %j seconds is bounded", (retryAfterSeconds, seconds) => {
  const json = { error: { code: "rate_limited", message: "No", retryAfterSeconds } };
  const answer = { status: 429, headers: { "retry-after": "7" }, json };
  expect(errorOfAnswer(url, answer, true).retryAfterSeconds).toBe(seconds);
  const headers = { "retry-after": String(retryAfterSeconds) };
  const byHeader = errorOfAnswer(url, { status: 429, headers }, true).retryAfterSeconds;
  expect(byHeader).toBe(retryAfterSeconds === "soon" ? undefined : seconds);
});
