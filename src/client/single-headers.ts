/**
 * The headers of an answer, each as one value: what came several times is joined (RFC 9110 §5.3). `set-cookie` cannot
 * be joined and is left out: no cookie is kept here.
 */
export function singleHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "set-cookie") single[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return single;
}
