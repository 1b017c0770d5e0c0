/** The system's name for what failed (`ENOENT`, `ECONNREFUSED`), else the error's own name. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) {
    return "unknown";
  }
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
