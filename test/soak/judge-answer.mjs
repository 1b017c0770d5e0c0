import { markerPrefix } from "./right-requests.mjs";

/** What only a program's own sources and stacks contain. */
const leaks =
  /\bat [^\s]+ \(?(?:file:|node:|\/)|node:internal|\/dist\/chunk-|TypeError|ReferenceError|RangeError/u;

/** The ids that a body names. @param {import("./right-messages.mjs").Fuzz["body"]} body @returns {unknown[]} */
function idsIn(body = "") {
  try {
    return [JSON.parse(String(body))].flat().map((message) => message?.id);
  } catch {
    return [];
  }
}

/** What is wrong with an answer; undefined when nothing is. @param {import("./right-messages.mjs").Fuzz} fuzz @param {import("./wire.mjs").Answer} answer */
export function faultOf(fuzz, { status, text, messages, headers }) {
  // The stream was closed before its head came.
  if (status === 0) return fuzz.stream === true ? undefined : "no status";
  if (status < 200 || status >= 500) return `status ${status}`;
  if (fuzz.statuses !== undefined && !fuzz.statuses.includes(status))
    return `status ${status}, not ${fuzz.statuses.join(" or ")}`;
  if (leaks.test(text)) return "the answer shows the program's inside";
  if (text.includes(markerPrefix)) return "the answer holds what belongs to another";
  const isJson = headers["content-type"]?.startsWith("application/json") === true;
  if (isJson && text !== "" && messages.length === 0) return "the answer is no JSON";
  const ids = idsIn(fuzz.body);
  for (const message of messages.flat()) {
    if (message["method"] !== undefined) continue;
    if (
      message["jsonrpc"] === "2.0" &&
      message["id"] !== null &&
      message["id"] !== undefined &&
      !ids.includes(message["id"])
    ) {
      return "an id that was not sent";
    }
    const { error, result } = message;
    if (fuzz.refused === true && result !== undefined) return "a result";
    if (message["jsonrpc"] !== "2.0") continue;
    if (error === undefined && result === undefined) return "neither a result nor an error";
    if (error === undefined) continue;
    if (!Number.isInteger(error.code) || typeof error.message !== "string")
      return "an error without code or message";
    if (error.code === -32_603) return "an internal error";
    if (fuzz.codes !== undefined && !fuzz.codes.includes(error.code))
      return `code ${error.code}, not ${fuzz.codes.join(" or ")}`;
  }
  return undefined;
}

/** @param {import("./right-messages.mjs").Fuzz} fuzz @param {import("./wire.mjs").Answer} [answer] */
export function describeExchange({ method = "POST", headers, body = "" }, answer) {
  const { authorization: _token, ...shown } = headers;
  const answered = answer === undefined ? "" : `\n→ ${answer.status} ${answer.text.slice(0, 500)}`;
  return `${method} ${JSON.stringify(shown).slice(0, 500)}\n${String(body).slice(0, 500)}${answered}`;
}
