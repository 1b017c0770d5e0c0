import type { Context } from "./context.ts";

/** Whether somebody is there to be asked: they see stderr and type on stdin, and it is no pipeline (CI). */
export function hasPerson({ io, environment }: Pick<Context, "io" | "environment">): boolean {
  return io.stdinIsTerminal && io.stderrIsTerminal && !environment.ci;
}
