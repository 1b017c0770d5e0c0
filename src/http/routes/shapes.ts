import * as z from "zod";
import { isIdentifier } from "../../core/identities.ts";
import { roles } from "../../core/principal.ts";

/** For requests that say everything by method and path. */
export const noBody = z.strictObject({}).optional();

/** The id of an organisation or a user. */
export const identifier = z.string().refine(isIdentifier, {
  message: "must be lower-case letters, digits and . _ - + @ inside, 100 at most",
  abort: true,
});

/** The id of a token, as the gateway makes them. */
export const tokenId = z.string().regex(/^[\w-]{1,100}$/u, "must be the id of a token");

export const role = z.enum(roles);

/** What people call something. Which characters it may have, `Administration` says. */
export const name = z.string().min(1, "must not be empty").max(400);

/** What rows are looked for by; it is compared, and never taken for anything else. */
export const term = z.string().min(1, "must not be empty").max(300);

/** Decimal digits, as a query has them. */
function wholeNumber(most: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^(?:0|[1-9]\d{0,15})$/u, "must be a whole number")
    .transform(Number)
    .pipe(z.number().max(most, `must be ${most} at most`));
}

/** How many entries an answer has at most. */
export const limit = wholeNumber(1000).pipe(z.number().min(1, "must be 1 at least")).default(100);

/** The place of a row in the order of writing. */
export const sequence = wholeNumber(Number.MAX_SAFE_INTEGER);

/** ISO 8601: a date, which begins at midnight UTC, or date and time with `Z` or an offset; in milliseconds since the epoch. */
export const time = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: "must be a date (2026-01-31) or a time (2026-01-31T12:00:00Z) of ISO 8601",
  })
  .transform((text) => Date.parse(text));

/**
 * The query of a list.
 * @param after what `after` may be, which is of the form that the list's own `next` has
 */
export function listQuery<After extends z.ZodType<string>>(
  after: After,
): z.ZodObject<{
  limit: typeof limit;
  after: z.ZodOptional<After>;
  deleted: typeof deleted;
}> {
  return z.strictObject({ limit, after: after.optional(), deleted });
}

const deleted = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");

/**
 * One page of a list, which was asked for one entry more than the page has.
 * @param after what the next page begins after, of the last entry of this one
 */
export function pageOf<Entry, After>(
  entries: readonly Entry[],
  most: number,
  after: (last: Entry) => After,
): { page: Entry[]; next: After | null } {
  const page = entries.slice(0, most);
  const last = page.at(-1);
  return { page, next: last !== undefined && entries.length > most ? after(last) : null };
}
