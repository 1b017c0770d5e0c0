import * as z from "zod";
import { maxPasswordBytes } from "../auth/passwords/password-rules.ts";
import { AppError } from "../core/errors.ts";

export type LoginBody =
  | { grant: "password"; email: string; password: string; organization?: string | undefined }
  | { grant: "refresh_token"; refreshToken: string };

/** Whether there is a NUL, which databases cut texts at, or half a character (a lone surrogate), which UTF-8 has not. */
const isUnfit = (value: string): boolean => value.includes("\0") || /\p{Cs}/u.test(value);
/** Each message is the end of a sentence that begins with the field's name. */
const text = (longest: number): z.ZodString =>
  z
    .string({ error: ({ input }) => (input === undefined ? "is missing" : "must be a text") })
    .min(1, "is empty")
    .max(longest, `is longer than ${longest} characters`)
    .refine((value) => !isUnfit(value), "must hold no NUL and no lone surrogate");

const passwordBody = z.strictObject({
  email: text(320),
  password: text(maxPasswordBytes).refine(
    (value) => Buffer.byteLength(value) <= maxPasswordBytes,
    `has more than ${maxPasswordBytes} bytes`,
  ),
  organization: text(100).optional(),
});
const refreshBody = z.strictObject({ refresh_token: text(4096) });

const withPassword = '{"email": "…", "password": "…"}';
const withRefreshToken = '{"refresh_token": "…"}';

export function isRefresh(body: unknown): boolean {
  return typeof body === "object" && body !== null && "refresh_token" in body;
}

/**
 * The body of `POST /auth/login`: a password, or what an earlier sign-in gave to renew it.
 * @throws AppError `usage` that names the field, shows the form, and repeats nothing of what was sent
 */
export function readLogin(body: unknown): LoginBody {
  if (isRefresh(body)) {
    const { refresh_token: refreshToken } = read(refreshBody, body, {
      most: "refresh_token",
      hint: `Send ${withRefreshToken}`,
    });
    return { grant: "refresh_token", refreshToken };
  }
  const credentials = read(passwordBody, body, {
    most: "email, password and organization",
    hint:
      typeof body === "object" && body !== null
        ? `Send ${withPassword}`
        : `Send ${withPassword}, or ${withRefreshToken}`,
  });
  return { grant: "password", ...credentials };
}

/** @param told.most the fields that there may be */
function read<Shape extends z.ZodType>(
  shape: Shape,
  body: unknown,
  { most, hint }: { most: string; hint: string },
): z.output<Shape> {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError("usage", faultOf(body, issue, most), { hint });
}

function faultOf(body: unknown, issue: z.core.$ZodIssue | undefined, most: string): string {
  if (body === undefined) return "The request's body is missing";
  const [field] = issue?.path ?? [];
  if (issue !== undefined && field !== undefined) return `${String(field)} ${issue.message}`;
  return issue?.code === "unrecognized_keys"
    ? `The request's body may hold nothing but ${most}`
    : "The request's body must be a JSON object";
}
