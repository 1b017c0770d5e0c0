import * as z from "zod";
import type { AuthenticationType } from "../core/principal.ts";
import { authOptions } from "./auth-options-schema.ts";

/** What each type is, in the order in which people meet them. */
const meanings: Readonly<Record<AuthenticationType, string>> = {
  local:
    "`local`: tokens the gateway mints, for its owner and by `agent token create` (the default).",
  token: "`token`: static tokens from this file.",
  simple:
    "`simple`: email address and password, of the gateway's own users, or with options of a Supabase project's.",
  bearer: "`bearer`: tokens that a remote auth server confirms (Supabase, RFC 7662).",
  jwt: "`jwt`: JWTs of an issuer, checked here.",
  oauth: "`oauth`: tokens of an authorization server that clients are told of (RFC 9728).",
  none: "`none`: nobody is asked; alone, and only on loopback.",
};
const names = Object.keys(meanings).map((name) => `"${name}"`);
const expected = `expected ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

function entryOf<const Type extends AuthenticationType, Options extends z.ZodType>(
  type: Type,
  options: Options,
) {
  return z.strictObject(
    { type: z.literal(type).describe(meanings[type]), options },
    { error: "expected an object" },
  );
}

function optionsFor<Options extends z.ZodType>(type: AuthenticationType, options: Options) {
  return options.describe(`Options of type \`${type}\`.`);
}

const noOptions = z
  .strictObject({}, { error: "expected an object" })
  .optional()
  .describe("It has none.");

const authEntry = z
  .discriminatedUnion(
    "type",
    [
      entryOf("local", noOptions),
      entryOf("token", optionsFor("token", authOptions.token)),
      entryOf("simple", optionsFor("simple", authOptions.simple.optional())),
      entryOf("bearer", optionsFor("bearer", authOptions.bearer)),
      entryOf("jwt", optionsFor("jwt", authOptions.jwt)),
      entryOf("oauth", optionsFor("oauth", authOptions.oauth)),
      entryOf("none", noOptions),
    ],
    { error: ({ code }) => (code === "invalid_union" ? expected : "expected an object") },
  )
  .describe("One way to sign in.");

export const auth = z
  .union([
    authEntry,
    z
      .array(authEntry, { error: "expected an entry or a list of them" })
      .min(1, { error: "must name at least one way" }),
  ])
  .describe("Who is let in: one entry or a list of them. Default: `local`.");

export type WrittenAuth = z.infer<typeof authEntry>;
/** An entry of one type. */
export type WrittenAuthOf<Type extends AuthenticationType> = Extract<WrittenAuth, { type: Type }>;
