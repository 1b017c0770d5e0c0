import type { z } from "zod";
import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";

/**
 * A request's body, query or path parameters in the shape a route expects, and nothing beside it.
 * @param what what is read, for the message about it as a whole
 * @throws AppError `usage`, naming the field and what was expected
 */
export function readBody<Shape extends z.ZodType>(
  shape: Shape,
  body: unknown,
  what: "body" | "query" | "path" = "body",
): z.output<Shape> {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? what : issue.path.join(".");
  throw new AppError("usage", oneLine(`${field}: ${issue?.message ?? "not as expected"}`));
}
