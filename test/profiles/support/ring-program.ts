// The program of a key ring process: src/profiles as the commands use it, without the command line around it.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseServerUrl } from "../../../src/core/url.ts";
import type { CredentialStore } from "../../../src/profiles/credential-store.ts";
import { openProfiles } from "../../../src/profiles/open-profiles.ts";
import type { ProfileDraft } from "../../../src/profiles/profile.ts";
import type { StoredCredential } from "../../../src/profiles/stored-credential.ts";
import { processStart } from "../../../src/runtime/process-start.ts";
import type { RingOutcome, RingTask } from "./ring-tasks.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests wrote it
const task = JSON.parse(process.argv[2] ?? "") as RingTask;
const { job } = task;
const outcome: RingOutcome = { counts: {}, errors: [], reports: [] };
const signal = AbortSignal.timeout(60_000);

const profiles = openProfiles({
  startOf: processStart,
  configDir: task.configDir,
  now: Date.now,
  report: (line) => outcome.reports.push(line),
  learn: () => undefined,
  sessionBus: task.sessionBus,
});

function draftOf(url: string, more: Partial<ProfileDraft> = {}): ProfileDraft {
  const { canonical, endpoint } = parseServerUrl(url);
  return { url: canonical, name: "default", endpoint, source: "web", ...more };
}

/** Ends this process as nothing can prevent it. */
async function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return once(process, "never").then(() => Promise.reject(new Error("still alive")));
}

/** A credential, and the metadata by which it is known to belong to it. */
function fresh(): { credential: StoredCredential; tokenId: string; expiresAtMs: number } {
  const tokenId = randomBytes(8).toString("hex");
  const token = `od_${tokenId}`;
  const session = { refreshToken: `refresh_${tokenId}_${"x".repeat(Math.random() * 3000)}` };
  const credential = Math.random() < 0.5 ? { token } : { token, session };
  return { credential, tokenId, expiresAtMs: Date.now() };
}

const operations: Record<string, (url: string) => Promise<unknown>> = {
  async login(url) {
    const { credential, ...more } = fresh();
    const draft = draftOf(url, more);
    const { store } = await profiles.storeFor(draft, task.store);
    await profiles.save(draft, credential, store);
  },
  async refresh(url) {
    const found = await profiles.find(draftOf(url).url);
    if (found === undefined) return;
    await profiles.renew(
      found,
      (current) => current.tokenId !== found.tokenId,
      async () => {
        await delay(Math.random() * 10);
        return fresh();
      },
      signal,
    );
  },
  logout: (url) => profiles.remove(draftOf(url)),
  async use(url) {
    const found = await profiles.find(draftOf(url).url);
    if (found !== undefined) await profiles.credentialOf(found);
  },
  "logout --all": () => profiles.removeOrphans(),
};
const shares = [
  ...Array<string>(7).fill("login"),
  ...Array<string>(7).fill("refresh"),
  ...Array<string>(4).fill("logout"),
  ...Array<string>(3).fill("use"),
  "logout --all",
];

async function storm(urls: readonly string[], ms: number): Promise<void> {
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const name = shares[Math.floor(Math.random() * shares.length)] ?? "";
    const url = urls[Math.floor(Math.random() * urls.length)] ?? "";
    try {
      await operations[name]?.(url);
      outcome.counts[name] = (outcome.counts[name] ?? 0) + 1;
    } catch (error) {
      outcome.errors.push(`${name}: ${String(error)}`);
    }
  }
}

/** A store whose process dies at its write. */
function deadly(store: CredentialStore, when: "before-secret" | "after-secret"): CredentialStore {
  return {
    ...store,
    async set(id, secret) {
      if (when === "before-secret") await die();
      await store.set(id, secret);
      await die();
    },
  };
}

switch (job.kind) {
  case "storm":
    await storm(job.urls, job.ms);
    break;
  case "save": {
    const draft = draftOf(job.url);
    const { store } = await profiles.storeFor(draft, task.store);
    await profiles.save(draft, { token: job.token }, deadly(store, job.die));
    break;
  }
  case "renew": {
    const found = await profiles.find(draftOf(job.url).url);
    const renewed =
      found &&
      (await profiles
        .renew(
          found,
          ({ expiresAtMs = 0 }) => expiresAtMs > Date.now() + 60_000,
          async ({ credential }) => {
            const answer = await fetch(job.authorization, {
              method: "POST",
              body: credential?.session?.refreshToken ?? "",
            });
            const text = await answer.text();
            if (job.die === "answered") await die();
            if (!answer.ok) throw new Error(text);
            const [token = "", refreshToken = ""] = text.split(" ");
            return {
              credential: { token, session: { refreshToken } },
              expiresAtMs: Date.now() + 3_600_000,
            };
          },
          signal,
        )
        .catch((error: unknown) => void outcome.errors.push(String(error))));
    outcome.token = renewed?.credential.token;
  }
}
process.stdout.write(`${JSON.stringify(outcome)}\n`);
process.stdin.destroy();
