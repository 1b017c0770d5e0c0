import { openLegacyClient } from "./legacy-client.mjs";
import { createModernClient } from "./modern-client.mjs";
import { tokens } from "./gateway.mjs";
import { answerAs, markerPrefix } from "./right-requests.mjs";

// What is there while wrong messages come: clients that go on with right ones, and what wrong ones can claim.

const capabilities = { elicitation: {}, sampling: {}, roots: {} };

/**
 * The clients with the right requests: of each principal one of each era.
 * @param {string} url @param {ReturnType<typeof import("./right-requests.mjs").createRightRequests>} right
 * @param {import("./random.mjs").Random} random @param {(text: string) => void} onStray
 */
export async function openAskers(url, right, random, onStray) {
  const askers = [];
  for (const [owner, token] of Object.entries(tokens)) {
    for (const version of ["2025-11-25", "2025-03-26", "2026-07-28"]) {
      const asks = version !== "2025-03-26";
      const name = `${owner}-${version}`;
      /** @type {Set<string>} */
      const updated = new Set();
      const options = {
        url,
        token,
        name,
        version,
        onNotification: right.hear({ name, updated }),
        onStray: (/** @type {string} */ text) => onStray(`${name}: ${text}`),
        ...(asks && { capabilities, answer: answerAs(name) }),
      };
      const client =
        version === "2026-07-28" ? createModernClient(options) : await openLegacyClient(options);
      askers.push({ name, client, token, version, asks, updated, random: random.fork() });
    }
  }
  return askers;
}

/** Ids of sessions that their clients have ended. @param {string} url @param {(text: string) => void} onStray */
async function endedSessions(url, onStray) {
  const ids = [];
  for (let index = 0; index < 5; index++) {
    const client = await openLegacyClient({
      url,
      token: tokens.ann,
      name: `ended-${index}`,
      listen: false,
      onStray,
    });
    ids.push(client.sessionId);
    await client.close();
  }
  return ids;
}

/** Sessions that nobody listens to. @param {string} url @param {(text: string) => void} onStray */
async function spareSessions(url, onStray) {
  const version = "2025-11-25";
  return Promise.all(
    Object.entries(tokens).map(async ([name, token]) => {
      const { sessionId } = await openLegacyClient({
        url,
        token,
        name: `spare-${name}`,
        version,
        listen: false,
        onStray,
      });
      return { id: sessionId, version, token };
    }),
  );
}

/**
 * `requestState`s that were really given: those of ann wait for her answer and are worth nothing to bob; those
 * of bob were answered and are used up.
 * @param {string} url
 */
async function givenStates(url) {
  const states = [];
  for (const [owner, token] of Object.entries(tokens)) {
    const name = `states-${owner}`;
    const client = createModernClient({ url, token, name, capabilities, onStray: () => undefined });
    for (const tool of ["legacy__ask", "old__ask", "modern__ask"]) {
      const params = { name: tool, arguments: { text: `${markerPrefix}${name}` } };
      const { requestState, inputRequests } = await client.once("tools/call", params);
      if (typeof requestState !== "string") throw new Error(`${tool} gave no requestState`);
      if (owner === "ann") {
        states.push({ state: requestState, token: tokens.bob });
        continue;
      }
      const inputResponses = Object.fromEntries(
        Object.keys(inputRequests).map((key) => [
          key,
          { action: "accept", content: { answer: "a" } },
        ]),
      );
      await client.once("tools/call", { ...params, requestState, inputResponses });
      states.push({ state: requestState, token });
    }
  }
  return states;
}

/**
 * @param {string} url @param {Awaited<ReturnType<typeof openAskers>>} askers @param {number} maxBodyBytes
 * @param {(text: string) => void} onStray
 * @returns {Promise<import("./right-messages.mjs").Ground>}
 */
export async function openGround(url, askers, maxBodyBytes, onStray) {
  const sessions = askers.flatMap(({ client, token, version }) =>
    client.sessionId === undefined ? [] : [{ id: client.sessionId, version, token }],
  );
  return {
    sessions,
    foreign: sessions.map(({ id, token }) => ({
      id,
      token: token === tokens.ann ? tokens.bob : tokens.ann,
    })),
    ended: await endedSessions(url, onStray),
    states: await givenStates(url),
    spare: await spareSessions(url, onStray),
    tokens,
    maxBodyBytes,
  };
}
