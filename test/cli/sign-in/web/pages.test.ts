import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  failurePage,
  foreignUserPage,
  pageHeaders,
  strayPage,
  successPage,
  wrongRequestPage,
} from "../../../../src/cli/sign-in/web/pages.ts";

const pages = {
  success: successPage({ server: "mcp.example", place: { host: "as.example", others: [] } }),
  failure: failurePage("You, or as.example, declined the sign-in.", "access_denied"),
  foreign: foreignUserPage(),
  stray: strayPage(),
  wrong: wrongRequestPage(404),
};

describe.each(Object.entries(pages))("the page %s", (_name, page) => {
  it("is whole: its style is the one that the policy allows, and nothing is loaded or run", () => {
    const styles = [...page.matchAll(/<style>(.*?)<\/style>/gsu)].map(([, style = ""]) => style);
    expect(styles).toHaveLength(1);
    const hash = createHash("sha256").update(styles.join("")).digest("base64");
    expect(pageHeaders["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
    expect(page).not.toMatch(/<script|\son\w+=|style=|url\(|@import|https?:\/\//iu);
    expect(page.match(/(?:src|href)="[^"]*"/giu)).toEqual(['href="data:,"']);
  });
});

it("allows nothing but its own style", () => {
  expect(pageHeaders["content-security-policy"]).toMatch(/^default-src 'none'; /u);
  expect(pageHeaders["content-security-policy"]).not.toMatch(/script|unsafe/u);
  expect(pageHeaders).toMatchObject({
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
});

it("shows foreign text as text", () => {
  const page = failurePage(`<script>alert("1")</script> & '\u202Eevil\u001b[31m`);
  expect(page).toContain(
    "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;\\u202eevil\\x1b[31m",
  );
});

it("names where the person signed in, and for what, and claims nothing more", () => {
  expect(pages.success).toContain("<title>Signed in at as.example –");
  expect(pages.success).toContain(
    '<h1>Signed in at <span class="host">as<wbr>.example</span></h1>',
  );
  expect(pages.success).toContain('<p>for <strong class="host">mcp<wbr>.example</strong></p>');
  expect(pages.success).toContain("You can close this page: the terminal says the rest.");
});

it("names whom the answer went to where that is somebody else", () => {
  const place = { host: "good.example", others: ["evil.example"] };
  expect(successPage({ server: "mcp.example", place })).toMatch(
    /for <strong[^>]*>evil<wbr>.example<\/strong> and <strong[^>]*>mcp<wbr>.example</u,
  );
});

it("shows a code small, below what it means", () => {
  expect(pages.failure).toContain(
    "You, or as.example, declined the sign-in.<br><small>access_denied</small>",
  );
  expect(pages.failure).toContain("<p>Go back to the terminal.</p>");
});
