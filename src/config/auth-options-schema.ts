import * as z from "zod";
import { mappingShape, requiredScopes } from "./identity-mapping-schema.ts";
import { organizationId, roleName } from "./security-schema.ts";

/** The `options` of each sign-in type as they are written (contract §4 "auth"). */

/** Long enough to spare the auth server a request for each call; as long a token lives on after it is taken back. */
const longestCacheSeconds = 300;

const word = z.string({ error: "expected a string" }).min(1, { error: "must not be empty" });

function optionsOf<const Shape extends z.core.$ZodShape>(shape: Shape, needs: string) {
  return z.strictObject(shape, {
    error: ({ input }) => (input === undefined ? `it needs ${needs}` : "expected an object"),
  });
}

const staticToken = z.strictObject(
  {
    name: word.describe("Who this token stands for; shown in the audit log."),
    token: word.describe("The token; take it from the environment: `${NAME}`."),
    role: roleName
      .optional()
      .describe(
        "What its bearer may do. `viewer`: call tools that only read; `editor`: call all; `admin`: administer too. Default: admin.",
      ),
    organization: organizationId
      .optional()
      .describe("Id of the organisation its bearer acts in. Default: none, the gateway's own."),
  },
  { error: "expected an object" },
);

const token = optionsOf(
  {
    token: word.optional().describe("The one token that is let in."),
    tokens: z
      .array(staticToken, { error: "expected a list of {name, token, role, organization}" })
      .min(1, { error: "must name at least one token" })
      .optional()
      .describe("Several tokens, each with its own name, role and organisation."),
  },
  "token or tokens",
);

const cacheSeconds = z
  .number({ error: "expected a number of seconds" })
  .min(0, { error: `must be between 0 and ${longestCacheSeconds}` })
  .max(longestCacheSeconds, { error: `must be between 0 and ${longestCacheSeconds}` })
  .optional()
  .describe(
    "How long what the server says of a token counts without asking again, at most until the token expires. Default: 30.",
  );

const supabaseShape = {
  url: word
    .optional()
    .describe("Address of the Supabase project: `https://<project>.supabase.co`."),
  anonKey: word
    .optional()
    .describe("The project's publishable (anon) key. A secret or `service_role` key is refused."),
  cacheSeconds,
};

const audienceForm = "expected a text or a list of texts";
const audience = z.union([
  z.string({ error: audienceForm }).min(1, { error: "must not be empty" }),
  z.array(word, { error: audienceForm }).min(1, { error: "must name at least one audience" }),
]);

const clientId = word.describe("What the authorization server knows the gateway as.");
const clientSecret = word.describe("Its secret; take it from the environment: `${NAME}`.");

const jwtShape = {
  issuer: word.describe(
    "Who signs: `iss` of the tokens, to the letter. Its metadata tells where the keys are, unless `jwksUri` or `secret` is given.",
  ),
  audience: audience.describe("For whom: one of these must be in `aud` of the token."),
  algorithms: z
    .array(word, { error: "expected a list of algorithms" })
    .min(1, { error: "must name at least one algorithm" })
    .optional()
    .describe(
      "The signatures that are accepted. Default: RS256, PS256, ES256, EdDSA and Ed25519; with `secret` HS256.",
    ),
  jwksUri: word
    .optional()
    .describe("Where the issuer's public keys are. Default: as the issuer's metadata has it."),
};

const introspection = z.strictObject(
  {
    url: word
      .optional()
      .describe("The introspection endpoint. Default: as the issuer's metadata has it."),
    clientId,
    clientSecret,
    cacheSeconds,
  },
  { error: "expected an object" },
);

/** By type; what is not here has none. */
export const authOptions = {
  token,
  simple: optionsOf({ ...supabaseShape, ...mappingShape }, "url and anonKey"),
  bearer: optionsOf(
    {
      ...supabaseShape,
      introspectionUrl: word
        .optional()
        .describe("An introspection endpoint (RFC 7662), in place of `url` and `anonKey`."),
      clientId: clientId.optional(),
      clientSecret: clientSecret.optional(),
      issuer: word
        .optional()
        .describe("With `introspectionUrl`: `iss` of the tokens, to the letter."),
      audience: audience
        .optional()
        .describe("With `introspectionUrl`: one of these must be in `aud` of the token."),
      ...mappingShape,
      scopes: requiredScopes.optional(),
    },
    "url and anonKey, or introspectionUrl, clientId and clientSecret",
  ),
  jwt: optionsOf(
    {
      ...jwtShape,
      secret: word
        .optional()
        .describe(
          "In place of public keys: the secret that is shared with the issuer (HMAC); take it from the environment.",
        ),
      ...mappingShape,
      scopes: requiredScopes.optional(),
    },
    "issuer and audience",
  ),
  oauth: optionsOf(
    {
      ...jwtShape,
      introspection: introspection
        .optional()
        .describe("Ask the server about each token (RFC 7662), in place of checking JWTs here."),
      ...mappingShape,
      scopes: requiredScopes.optional(),
    },
    "issuer and audience",
  ),
} as const;

/** The known keys of what stands inside options, for "did you mean". */
export const authOptionKeys = {
  staticToken: Object.keys(staticToken.shape),
  introspection: Object.keys(introspection.shape),
} as const;
