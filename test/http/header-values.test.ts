import { expect, it } from "vitest";
import { headerValues } from "../../src/http/header-values.ts";

it("gives what a header says each time, in the order of the head, however its name is written", () => {
  const rawHeaders = ["Host", "a", "X-Authorization", "no", "AUTHORIZATION", "Bearer one"];
  rawHeaders.push("host", "b", "authorization", "Bearer two", "Accept", "host");
  expect(headerValues({ rawHeaders }, "authorization")).toEqual(["Bearer one", "Bearer two"]);
  expect(headerValues({ rawHeaders }, "host")).toEqual(["a", "b"]);
});

it("gives nothing for a header that is not there, or whose name is another's value", () => {
  expect(headerValues({ rawHeaders: ["accept", "origin", "te", "x"] }, "origin")).toEqual([]);
  expect(headerValues({ rawHeaders: ["origin", ""] }, "origin")).toEqual([""]);
  expect(headerValues({ rawHeaders: [] }, "origin")).toEqual([]);
});
