import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  failurePage,
  pageHeaders,
  strayPage,
  successPage,
  wrongRequestPage,
} from "../../../../src/cli/sign-in/web/pages.ts";

const pages = {
  success: successPage({ server: "https://mcp.example/team/mcp", host: "as.example" }),
  failure: failurePage("as.example answered: access_denied"),
  stray: strayPage(),
  wrong: wrongRequestPage(404),
};

describe.each(Object.entries(pages))("the page %s", (_name, page) => {
  it("is whole: its style is the one that the policy allows, and nothing is loaded or run", () => {
    const styles = [...page.matchAll(/<style>(.*?)<\/style>/gsu)].map(([, style = ""]) => style);
    expect(styles).toHaveLength(1);
    const hash = createHash("sha256").update(styles.join("")).digest("base64");
    expect(pageHeaders["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
    expect(page).not.toMatch(/<script|\son\w+=|style=|url\(|@import|https?:\/\/(?!mcp\.example)/iu);
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

it("names where the person signed in, and for what", () => {
  expect(pages.success).toContain("<strong>https://mcp.example<wbr>/team<wbr>/mcp</strong>");
  expect(pages.success).toContain("<strong>as.example</strong>");
});
