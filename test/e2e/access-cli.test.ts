import { afterAll, beforeAll, expect, test } from "vitest";
import { askTable } from "./support/ask-table.ts";
import { startTeam } from "./support/team.ts";
import type { Person, Team } from "./support/team.ts";

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.stop());

/** What of a list is whose, by first letters: servers, organisations, or names that begin with one. */
function initials(values: readonly unknown[]): string {
  const letters = values.map((value) => (typeof value === "string" ? value.slice(0, 1) : "-"));
  return [...new Set(letters)].toSorted().join("");
}

/** The command line, and the field of each entry that tells whose it is; without one only how it ends counts. */
const commands: Record<string, readonly [args: string, field?: string]> = {
  inspect: ["inspect", "name"],
  "inspect acme": ["inspect acme"],
  "run acme/write": ["run acme/write text=x"],
  "run acme/read": ["run acme/read text=x"],
  "run open/write": ["run open/write text=x"],
  "run open/read": ["run open/read text=x"],
  "org add": ["org add gamma"],
  "org list": ["org list", "id"],
  "user add": ["user add gamma-user"],
  "user list": ["user list", "id"],
  "user remove": ["user remove gamma-user"],
  "org remove": ["org remove gamma"],
  "member set": ["member set acme-viewer acme viewer"],
  "member list": ["member list", "organization"],
  "token create": ["token create --name t --user acme-viewer --organization acme"],
  "token list": ["token list", "organization"],
  audit: ["audit --limit 1000", "organization_id"],
  history: ["history --limit 1000", "organization_id"],
  "mcp restore": ["mcp restore acme"],
  "admin purge": ["admin purge --before 1990-01-01 --yes"],
};

// 0: done. 2: not there. 4: not allowed, or not signed in.
const table = `
                 nobody  stranger  acme-viewer  acme-editor  beta-viewer  beta-admin  acme-admin  owner
inspect        | exit-4  exit-4    ao           ao           bo           bo          ao          abo
inspect acme   | exit-4  exit-4    done         done         exit-2       exit-2      done        done
run acme/write | exit-4  exit-4    exit-4       done         exit-2       exit-2      done        done
run acme/read  | exit-4  exit-4    done         done         exit-2       exit-2      done        done
run open/write | exit-4  exit-4    exit-4       done         exit-4       done        done        done
run open/read  | exit-4  exit-4    done         done         done         done        done        done
org add        | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      done
org list       | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           abg
user add       | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      done
user list      | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           abg
user remove    | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      done
org remove     | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      done
member set     | exit-4  exit-4    exit-4       exit-4       exit-4       exit-2      done        done
member list    | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           ab
token create   | exit-4  exit-4    exit-4       exit-4       exit-4       exit-2      done        done
token list     | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           -ab
audit          | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           -ab
history        | exit-4  exit-4    exit-4       exit-4       exit-4       b           a           -abg
mcp restore    | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      exit-2
admin purge    | exit-4  exit-4    exit-4       exit-4       exit-4       exit-4      exit-4      done
`;

async function outcomeOf(person: Person, operation: string): Promise<string> {
  const [line, field] = commands[operation] ?? ["no such command"];
  const { code, stdout, stderr } = await team.agent(person, [...line.split(" "), "--json"]);
  if (code !== 0) {
    const { error }: { error?: { message?: unknown } } = JSON.parse(stderr);
    const isOneFailure = stdout === "" && typeof error?.message === "string";
    return isOneFailure ? `exit-${code}` : `exit-${code}: ${stdout}${stderr}`;
  }
  if (field === undefined) return "done";
  const parsed: unknown = JSON.parse(stdout);
  const entries: readonly Record<string, unknown>[] = Array.isArray(parsed)
    ? parsed
    : // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `agent inspect` has it
      (parsed as { servers: Record<string, unknown>[] }).servers;
  return initials(entries.map((entry) => entry[field]));
}

test("on the command line", async () => {
  const { found, expected } = await askTable(table, outcomeOf);
  expect(found).toEqual(expected);
}, 240_000);
