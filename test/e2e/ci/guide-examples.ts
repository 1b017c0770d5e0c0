import { readFileSync } from "node:fs";

/** One example of docs/guides/ci.md, as a shell gets it. */
export interface GuideExample {
  /** The heading it stands under. */
  heading: string;
  kind: "sh" | "yaml";
  /** What is run, in this order, each in a shell of its own. */
  scripts: readonly string[];
  /** Variables that it sets beside. */
  env: Readonly<Record<string, string>>;
}

/** All that is shown on the page. */
export function guideExamples(): GuideExample[] {
  const page = readFileSync(new URL("../../../docs/guides/ci.md", import.meta.url), "utf8");
  return page
    .split(/^## /mu)
    .slice(1)
    .flatMap((section) => {
      const heading = section.slice(0, section.indexOf("\n"));
      return [...section.matchAll(/^```(sh|yaml)\n(.*?)^```$/gmsu)].map(
        ([, kind, text = ""]): GuideExample =>
          kind === "yaml"
            ? { heading, kind, scripts: scriptsOf(text), env: variablesOf(text) }
            : { heading, kind: "sh", scripts: [text], env: {} },
      );
    });
}

/** `run:` of GitHub, each a shell; `script:` of GitLab, all of it one shell. */
function scriptsOf(yaml: string): string[] {
  const runs = [...yaml.matchAll(/^ +- run: (?:\|\n((?: {10}.*\n)+)|(.+)\n)/gmu)].map(
    ([, block, line = ""]) => block?.replaceAll(/^ {10}/gmu, "") ?? line,
  );
  const script = /^ {2}script:\n((?: {4}- .*\n)+)/mu.exec(yaml)?.[1];
  return script === undefined ? runs : [script.replaceAll(/^ {4}- /gmu, "")];
}

/** Of `env:` and `variables:`; what is taken from the secrets of the place is not among them. */
function variablesOf(yaml: string): Record<string, string> {
  const block = /^ +(?:env|variables):\n((?: +(?:#|[A-Z_]+:).*\n)+)/mu.exec(yaml)?.[1] ?? "";
  const lines = [...block.matchAll(/^ +([A-Z_]+): (.+)$/gmu)];
  return Object.fromEntries(
    lines.flatMap(([, name = "", value = ""]) => (value.startsWith("${{") ? [] : [[name, value]])),
  );
}
