import { postHeaders, Refused } from "./client.mjs";
import { openLegacyClient } from "./legacy-client.mjs";
import { createModernClient } from "./modern-client.mjs";
import { exchange } from "./wire.mjs";

/** @typedef {"success" | "denied" | "error"} Status what the audit row of a call must say */
/** @typedef {{atMs: number, status: Status, tool: string}} Answered `atMs`: when the answer was there */

/** Whoever calls in turn, and how many of each at once. */
const callers = /** @type {const} */ ([
  ["rest", 3],
  ["legacy", 3],
  ["modern", 2],
]);
/** One in so many calls is of each other kind. */
const others = 12;

/** The tool, as REST names it and as MCP does, and what becomes of a call by who may call it and who may not. */
const right = { tool: "echo/read", exposed: "echo__read" };
const forViewers = { tool: "echo/write", exposed: "echo__write" };
const unknown = { tool: "echo/nothing", exposed: "echo__nothing" };

/**
 * Calls without end over REST and both eras of MCP, each call with an argument of its own, until the gateway
 * is gone: right calls, calls of a tool that is not there, and calls a viewer may not make.
 * @param {{url: string, round: number, tokens: {editor: string, viewer: string}, random: import("./random.mjs").Random, isOver: () => boolean, onWrong: (text: string) => void}} options
 * @returns {{made: Set<string>, answered: Map<string, Answered>, ended: Promise<void>}} every argument that was
 *   sent; those whose answer came, as it must be in the audit; resolves when no caller runs any more
 */
export function startCrashLoad({ url, round, tokens, random, isOver, onWrong }) {
  /** @type {Set<string>} */
  const made = new Set();
  /** @type {Map<string, Answered>} */
  const answered = new Map();

  /** @param {string} kind @param {string} token @param {string} name @returns {Promise<(called: {tool: string, exposed: string}, text: string) => Promise<void>>} */
  const open = async (kind, token, name) => {
    if (kind === "rest") {
      return async ({ tool }, text) => {
        const [server, own] = tool.split("/");
        const body = JSON.stringify({ server, tool: own, arguments: { text } });
        const headers = { ...postHeaders(token), accept: "application/json" };
        const answer = await exchange(`${url}/api/v1/tools/call`, { headers, body });
        if (answer.status !== 200) {
          throw new Refused(answer.status, answer.messages[0]?.["error"], answer.text);
        }
      };
    }
    const options = { url, token, name, onStray: () => undefined };
    const client =
      kind === "legacy"
        ? await openLegacyClient({ ...options, listen: false })
        : createModernClient(options);
    return async ({ exposed }, text) => {
      await client.request("tools/call", { name: exposed, arguments: { text } });
    };
  };

  /** @param {string} kind @param {number} index @param {import("./random.mjs").Random} own */
  const live = async (kind, index, own) => {
    const name = `r${round}-${kind}${index}`;
    try {
      const asEditor = await open(kind, tokens.editor, name);
      const asViewer = await open(kind, tokens.viewer, `${name}-viewer`);
      for (let count = 0; !isOver(); count++) {
        const text = `${name}-${count}`;
        const turn = own.below(others);
        const [call, called, status] =
          turn === 0
            ? /** @type {const} */ ([asViewer, forViewers, "denied"])
            : turn === 1
              ? /** @type {const} */ ([asEditor, unknown, "error"])
              : /** @type {const} */ ([asEditor, right, "success"]);
        made.add(text);
        /** @type {unknown} */
        let failure;
        await call(called, text).catch((/** @type {unknown} */ error) => {
          failure = error;
        });
        const atMs = performance.now();
        // Without an answer its row may be there or not.
        if (failure !== undefined && !(failure instanceof Refused)) return;
        if ((failure === undefined) !== (status === "success")) {
          onWrong(
            `${called.tool} by ${status === "denied" ? "a viewer" : "an editor"}: ${failure}`,
          );
        }
        answered.set(text, { atMs, status, tool: called.exposed });
      }
    } catch (error) {
      if (!isOver()) onWrong(`${name} could not begin: ${String(error)}`);
    }
  };

  const lives = callers.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => live(kind, index, random.fork())),
  );
  return { made, answered, ended: Promise.all(lives).then(() => undefined) };
}
