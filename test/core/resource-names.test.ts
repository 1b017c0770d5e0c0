import { expect, it } from "vitest";
import {
  isGatewayUri,
  isWithin,
  parseQualifiedUri,
  qualifiedUri,
  schemeOf,
} from "../../src/core/resource-names.ts";

it.each(["plain", "a:b", "über server", "100%", "onedoor:x"])(
  "finds a server named %s and its URI again in a qualified URI",
  (server) => {
    for (const uri of ["file:///a:b", "", "onedoor:x:y", "a b?c#d"]) {
      const text = qualifiedUri({ server, uri });
      expect(text).toMatch(/^onedoor:[^:]+:/u);
      expect(parseQualifiedUri(text)).toEqual({ server, uri });
    }
  },
);

it.each(["", "file:///a", "onedoor:", "onedoor:x", "onedoor::x", "onedoor:%zz:x", "ONEDOOR:a:b"])(
  "takes %j for none",
  (text) => {
    expect(parseQualifiedUri(text)).toBeUndefined();
  },
);

it.each([
  ["FILE:///a", "file"],
  ["x+y-z.1:a", "x+y-z.1"],
  ["1x:a", undefined],
  ["{scheme}:a", undefined],
  ["nothing", undefined],
  ["", undefined],
])("reads the scheme of %s as %s", (uri, scheme) => {
  expect(schemeOf(uri)).toBe(scheme);
});

it.each([
  ["file:///d", "file:///d", true],
  ["file:///d/a", "file:///d", true],
  ["file:///d/a", "file:///d/", true],
  ["file:///d?x", "file:///d", true],
  ["file:///dx", "file:///d", false],
  ["file:///", "file:///d", false],
])("knows whether %s belongs to %s", (uri, resource, expected) => {
  expect(isWithin(uri, resource)).toBe(expected);
});

it.each([
  ["onedoor:one:x", true],
  ["ONEdoor:", true],
  ["\t onedoor:x", true],
  ["onedoors:x", false],
  ["x:onedoor:", false],
])("knows whether %j is of the gateway's own scheme", (uri, expected) => {
  expect(isGatewayUri(uri)).toBe(expected);
});
