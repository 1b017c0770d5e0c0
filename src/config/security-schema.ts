import * as z from "zod";
import { isIdentifier } from "../core/identities.ts";
import { roles } from "../core/principal.ts";

/** The keys that say who may do what, and how often (contract §4 "Roles", "Rate limit", "Audit"). */

const longestGlob = 200;
export const mostCallsAMinute = 1_000_000;
/** A century: what is kept longer is kept for good. */
const longestRetentionDays = 36_500;

const glob = z
  .string({ error: "expected a tool's name, with * and ? where it may vary" })
  .min(1, { error: "must not be empty" })
  .max(longestGlob, { error: `must be at most ${longestGlob} characters` });

const globs = z.array(glob, { error: "expected a list of tool names" });

export const organizationId = z
  .string({ error: "expected the id of an organisation" })
  .refine(isIdentifier, {
    error:
      "is not the id of an organisation: lower-case letters, digits and . _ - + @ inside, at most 100",
  });

export const roleName = z.enum(roles, { error: 'expected "viewer", "editor" or "admin"' });

export const access = z
  .strictObject(
    {
      read: globs
        .optional()
        .describe("Names of tools that only read, so that viewers may call them: `get_*`."),
      write: globs
        .optional()
        .describe("Names of tools that change something, whatever else is said of them."),
      organizations: z
        .array(organizationId, { error: "expected a list of ids of organisations" })
        .min(1, { error: "name at least one, or leave it out" })
        .optional()
        .describe(
          "Ids of the organisations whose members see the server. Default: everybody who is let in.",
        ),
    },
    { error: "expected an object" },
  )
  .describe("Who sees the server, and which of its tools only read.");

const callsAMinute = z
  .int({ error: "expected a whole number of calls a minute" })
  .min(0, { error: "must be between 0 (no limit) and 1000000" })
  .max(mostCallsAMinute, { error: "must be between 0 (no limit) and 1000000" });

const limitsOfRoles = z.strictObject(
  {
    viewer: callsAMinute.optional().describe("For viewers."),
    editor: callsAMinute.optional().describe("For editors."),
    admin: callsAMinute.optional().describe("For administrators."),
  },
  { error: "expected an object" },
);

export const rateLimit = z
  .strictObject(
    {
      rpm: callsAMinute
        .optional()
        .describe(
          "Tool calls within any 60 seconds, for each signed-in user; 0: no limit. `ONEDOOR_RATE_LIMIT_RPM` wins over it. Default: 60.",
        ),
      roles: limitsOfRoles.optional().describe("In place of `rpm`, for those who hold the role."),
      tools: z
        .record(glob, callsAMinute, { error: "expected an object of calls a minute" })
        .optional()
        .describe(
          "Beside it, by the name that clients see, with `*` and `?`: the first that fits limits all tools it fits together, for each user.",
        ),
    },
    { error: "expected an object" },
  )
  .describe(
    "How many tools a user may call. The owner's own tokens, and `auth` of type `none`, are not counted.",
  );

export const audit = z
  .strictObject(
    {
      retentionDays: z
        .int({ error: "expected a whole number of days" })
        .min(1, { error: `must be between 1 and ${longestRetentionDays}` })
        .max(longestRetentionDays, { error: `must be between 1 and ${longestRetentionDays}` })
        .optional()
        .describe("How many days the rows of the audit log are kept. Default: for good."),
    },
    { error: "expected an object" },
  )
  .describe("The audit log.");

/** The known keys of each object above, for "did you mean". */
export const securityKeys = {
  access: Object.keys(access.shape),
  rateLimit: Object.keys(rateLimit.shape),
  limitsOfRoles: Object.keys(limitsOfRoles.shape),
  audit: Object.keys(audit.shape),
} as const;
