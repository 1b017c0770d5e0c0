import * as z from "zod";
import { scopeToken } from "../core/scope-token.ts";
import { organizationId, roleName } from "./security-schema.ts";

const longestClaimName = 200;
const deepestClaim = 8;

const claimName = z
  .string({ error: "expected the name of a claim, or a list of names that leads to it" })
  .min(1, { error: "must not be empty" })
  .max(longestClaimName, { error: `must be at most ${longestClaimName} characters` });

/** One claim by its name, which may hold dots and colons, or a path into an object. */
const claim = z.union([
  claimName,
  z
    .array(claimName, { error: "expected the names that lead to a claim" })
    .min(1, { error: "must name a claim" })
    .max(deepestClaim, { error: `must be at most ${deepestClaim} names` }),
]);

export const claims = z
  .strictObject(
    {
      user: claim
        .optional()
        .describe(
          "Who it is: a text that stays the same and is nobody else's. Default: `sub`, with Supabase `id`.",
        ),
      name: claim.optional().describe("What people call the user. Default: the email or the name."),
      organization: claim
        .optional()
        .describe(
          "Id of the organisation the user acts in. One that is not there (`agent org add`) lets the user do nothing.",
        ),
      role: claim
        .optional()
        .describe("The user's role, or a list of values of which the highest role counts."),
    },
    { error: "expected an object" },
  )
  .describe(
    'Where the token says it: the name of a claim, or a list that leads into one, as in `["app_metadata", "role"]`.',
  );

/** How what an issuer says becomes a user, organisation and role here: the same keys for all who ask one. */
export const mappingShape = {
  claims: claims.optional(),
  roles: z
    .record(claimName, roleName, { error: "expected an object of roles by a claim's values" })
    .optional()
    .describe(
      "What the values in `claims.role` mean here. Default: `viewer`, `editor` and `admin` mean themselves.",
    ),
  organization: organizationId
    .optional()
    .describe(
      "Id of the organisation that all act in, in place of `claims.organization`. Default: none, the gateway's own.",
    ),
  role: roleName
    .optional()
    .describe("The role of those whose claim says none. Default: none, which may do nothing."),
};

export const requiredScopes = z
  .array(
    z
      .string({ error: "expected a list of scopes" })
      .regex(scopeToken, { error: "is not a scope: one word without quotes or backslash" }),
    { error: "expected a list of scopes" },
  )
  .min(1, { error: "name at least one, or leave it out" })
  .describe("Scopes of the issuer that a token must have; others are answered with 403.");
