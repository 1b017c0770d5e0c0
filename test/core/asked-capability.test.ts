import { expect, it } from "vitest";
import { missingCapability } from "../../src/core/asked-capability.ts";
import type { JsonObject } from "../../src/core/json.ts";

it.each<[string, JsonObject, JsonObject, JsonObject | undefined]>([
  ["roots/list", {}, { roots: {} }, undefined],
  ["roots/list", {}, {}, { roots: {} }],
  ["sampling/createMessage", {}, { sampling: {} }, undefined],
  ["sampling/createMessage", {}, { roots: {} }, { sampling: {} }],
  ["sampling/createMessage", { tools: [] }, { sampling: {} }, { sampling: { tools: {} } }],
  ["sampling/createMessage", { tools: [] }, { sampling: { tools: {} } }, undefined],
  ["elicitation/create", {}, { elicitation: {} }, undefined],
  ["elicitation/create", { mode: "form" }, { elicitation: { form: {} } }, undefined],
  ["elicitation/create", {}, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
  ["elicitation/create", { mode: "url" }, { elicitation: {} }, { elicitation: { url: {} } }],
  ["elicitation/create", { mode: "url" }, { elicitation: { url: {} } }, undefined],
  ["elicitation/create", {}, { elicitation: true }, { elicitation: { form: {} } }],
  ["future/thing", {}, {}, undefined],
])("says of %s %j what a client that declared %j lacks", (method, params, declared, missing) => {
  expect(missingCapability(method, params, declared)).toEqual(missing);
});
