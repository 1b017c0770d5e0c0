import { expect, it } from "vitest";
import { AppError, errorCodes } from "../../src/core/errors.ts";
import { toJsonRpcError } from "../../src/gateway/json-rpc-error.ts";
import { asRestFault } from "../../src/gateway/rest-fault.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import { RequestFault } from "../../src/gateway/request-fault.ts";

it("hands an upstream's error on as it is", () => {
  expect(toJsonRpcError(new RpcFault({ code: -31999, message: "odd", data: { a: [1] } }))).toEqual({
    code: -31999,
    message: "odd",
    data: { a: [1] },
  });
  expect(toJsonRpcError(new RpcFault({ code: 5, message: "" }))).toEqual({ code: 5, message: "" });
});

it.each(errorCodes)("has a JSON-RPC code for %s, and says ours beside it", (code) => {
  const {
    code: number,
    message,
    data,
  } = toJsonRpcError(new AppError(code, "What", { hint: "Do" }));
  expect(number).toSatisfy(
    (value: number) => [-32602, -32603].includes(value) || (value <= -32000 && value > -32020),
  );
  expect(message).toBe("What (Do)");
  expect(data).toEqual({ code, message: "What", hint: "Do" });
});

it("says when a call may be made again", () => {
  const error = new AppError("rate_limited", "Too many", { retryAfterSeconds: 7 });
  expect(toJsonRpcError(error).data).toMatchObject({ retryAfterSeconds: 7 });
});

it("tells nothing of a bug", () => {
  const told = JSON.stringify(toJsonRpcError(new Error("secret inside")));
  expect(told).not.toContain("secret inside");
  expect(told).toContain("-32603");
});

it("makes an upstream's error a tool_error for REST, and nothing else", () => {
  expect(asRestFault(new RpcFault({ code: -32000, message: "line\nbreak" }))).toMatchObject({
    code: "tool_error",
    message: "line break",
  });
  const other = new AppError("timeout", "late");
  expect(asRestFault(other)).toBe(other);
  expect(asRestFault(new RequestFault("no object"))).toMatchObject({ code: "usage" });
});
