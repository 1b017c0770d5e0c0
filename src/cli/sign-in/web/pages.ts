import { createHash } from "node:crypto";
import { escapeForTerminal } from "../../../core/terminal-text.ts";
import type { SignInPlace } from "./sign-in-place.ts";

const style = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --card: #fff; --ink: #16181d; --quiet: #565d6b; --line: #e1e4ea;
  --good: #0b7a4b; --good-ground: #e2f5ec; --bad: #b3261e; --bad-ground: #fce8e6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101216; --card: #191c22; --ink: #eef0f4; --quiet: #a3abba; --line: #2b303a;
    --good: #5fd3a0; --good-ground: #12352a; --bad: #ff9a92; --bad-ground: #43201e;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; padding: 1.5rem 1rem; display: flex; align-items: center; justify-content: center;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main {
  width: 100%; max-width: 28rem; padding: 2.25rem 2rem 1.5rem; text-align: center;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
}
svg { width: 3.5rem; height: 3.5rem; padding: .9rem; border-radius: 50%; }
svg path { fill: none; stroke: currentColor; stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
h1, p { text-wrap: balance; }
h1 { overflow-wrap: anywhere; margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
p { color: var(--quiet); overflow-wrap: anywhere; }
p + p { margin-top: .75rem; }
small { color: var(--quiet); }
.host { display: inline-block; max-width: 100%; }
strong { color: var(--ink); font-weight: 600; }
.said {
  margin: 1rem 0; padding: .75rem 1rem; text-align: left; font-size: .9375rem; color: var(--ink);
  background: var(--ground); border: 1px solid var(--line); border-radius: .5rem;
}
footer {
  margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line);
  font-size: .8125rem; color: var(--quiet);
}
@media (max-width: 24rem) { main { padding: 1.75rem 1.25rem 1.25rem; } h1 { font-size: 1.25rem; } }
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** Of every answer: what is shown is ours alone, loads nothing, runs nothing and is kept nowhere. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  connection: "close",
};

/**
 * For an answer that has come and been taken to the authorization server; whether the server it is for takes it comes
 * later. @param server its host
 */
export function successPage({ server, place }: { server: string; place: SignInPlace }): string {
  const names = [...place.others, server].map(
    (name) => `<strong class="host">${withBreaks(name)}</strong>`,
  );
  return page("good", `Signed in at <span class="host">${withBreaks(place.host)}</span>`, [
    `<p>for ${names.join(" and ")}</p>`,
    `<p>You can close this page: the terminal says the rest.</p>`,
  ]);
}

/**
 * The end of one that did not.
 * @param message what failed; may quote foreign text
 * @param small to be shown below it
 */
export function failurePage(message: string, small = ""): string {
  return page("bad", "The sign-in failed", [
    `<p class="said">${escaped(message)}${small === "" ? "" : `<br><small>${escaped(small)}</small>`}</p>`,
    `<p>Go back to the terminal.</p>`,
  ]);
}

/** For a browser of another user of this machine. */
export function foreignUserPage(): string {
  return page("bad", "This sign-in is not yours", [
    `<p>Another user of this machine has begun it. Nothing of yours was taken.</p>`,
  ]);
}

/** For a callback that belongs to no sign-in that is waited for. */
export function strayPage(): string {
  return page("bad", "This was not expected", [
    `<p>What brought you here does not belong to the sign-in that the terminal waits for. Nothing of it was taken.</p>`,
    `<p>Go on with the page that the terminal has opened, or begin again there.</p>`,
  ]);
}

/** @param status of HTTP */
export function wrongRequestPage(status: number): string {
  return page("bad", "There is nothing here", [
    `<p>This address only takes the answer to a sign-in (${status}).</p>`,
  ]);
}

const icons = { good: "M5 12.5l4.5 4.5L19 7.5", bad: "M12 6v7M12 17.5v.01" };

function page(kind: "good" | "bad", title: string, content: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title.replaceAll(/<.*?>/gu, "")} – OneDoor</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<svg class="${kind}" viewBox="0 0 24 24" aria-hidden="true"><path d="${icons[kind]}"/></svg>
<h1>${title}</h1>
${content.join("\n")}
<footer>OneDoor agent, on this machine</footer>
</main>
</body>
</html>
`;
}

/** A host that may break before each part of its name. */
function withBreaks(host: string): string {
  return escaped(host).replaceAll(".", "<wbr>.");
}

/** Foreign text as text: nothing in it is markup, and nothing in it is invisible. */
function escaped(text: string): string {
  return escapeForTerminal(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
