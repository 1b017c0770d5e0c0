/** What the operating system, or SQLite, calls an error (`ENOENT`, `SQLITE_BUSY`); undefined for others. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
