// What the commands of `agent auth` print with `--json`, for their pages: `says` where a table of fields is not all of
// it, then each field by its path. test/cli/auth/documented-results.test.ts holds it to what they print.

/** @typedef {{ says?: string, fields: readonly (readonly [path: string, text: string])[] }} Result */

const url = /** @type {const} */ ([
  "url",
  "The server, by the address that its profiles belong to",
]);
const name = /** @type {const} */ (["name", "The profile"]);
const expiresAt = /** @type {const} */ ([
  "expiresAt",
  "ISO 8601, in UTC; `null` where nobody says",
]);
const role = /** @type {const} */ ([
  "role",
  "The role there; `null` where there is none, or nobody says",
]);

/** @type {Readonly<Record<string, Result>>} */
export const documentedResults = {
  "auth-login": {
    fields: [
      url,
      [
        "saved",
        "`false` where the server needs no sign-in: then `url`, `saved` and `reason` are all",
      ],
      ["reason", "Only where nothing was saved: `needs no sign-in`"],
      name,
      ["endpoint", "The address as it was given"],
      ["verified", "Whether the server took the token; `false` with `--no-verify`"],
      ["who", "As whom; `null` where the server does not say"],
      role,
      [
        "source",
        "`option` (`--token`), `stdin`, `local`, `web`, `device`, `client` (`--client-credentials`) or `password`",
      ],
      ["store", "`keychain` or `file`"],
      ["storeReason", "Why it is a file although nobody asked for one; else `null`"],
      expiresAt,
      ["renews", "Whether the token is got anew without a person"],
      ["issuer", "The authorization server of an OAuth sign-in; else `null`"],
      ["scope", "The scopes granted there, with spaces between; else `null`"],
    ],
  },
  "auth-status": {
    says: "An array, with one of these for each profile. The exit code is that of the worst: 4, 3, 1, 6, 0. A failure is told on stderr as well.",
    fields: [
      url,
      name,
      ["endpoint", "The address that was asked"],
      [
        "result",
        "`ok`, `needs no sign-in`, `rejected`, `expired`, `missing`, `unreachable`, `store unavailable`, `rate limited` or `failed`",
      ],
      ["reason", "One line more, for people; or `null`"],
      [
        "source",
        "Where the token comes from: `flag` (`--token`), `environment` or `profile`; `null` where there is none",
      ],
      ["store", "`keychain` or `file`; `null` where the token is not the profile's"],
      ["maskedToken", "Its last characters; `null` where there is none"],
      ["createdAt", "When the profile was saved, as `expiresAt`"],
      expiresAt,
      ["renews", "Whether the token is got anew without a person; `null` where that is not known"],
      ["who", "As whom; `null` where nobody says"],
      role,
      [
        "scopes",
        "What the token is limited to, as a list; empty: not limited; `null`: nobody says",
      ],
      ["organization", "The one it acts in; or `null`"],
    ],
  },
  "auth-whoami": {
    says: "Where the server cannot be asked, what is saved goes to stdout, and the failure to stderr (exit code 3).",
    fields: [
      url,
      [
        "authenticated",
        "`true`: the server took the token. `false`: it needs no sign-in; then there are only `url`, `authenticated` and `reason`. `null`: it could not be asked",
      ],
      ["reason", "Only with `false`: `needs no sign-in`"],
      ["user.id", "Who it is; `null` where nobody says"],
      ["user.name", "What people call them; `null` where nobody says"],
      ["organization", "The one you act in; or `null`"],
      role,
      [
        "scopes",
        "What the token is limited to, as a list; empty: not limited; `null`: nobody says",
      ],
      ["method", "The way of signing in, as the server calls it; or `null`"],
      expiresAt,
      ["source", "Who says so: `server`, or `stored`: what was saved at the sign-in"],
    ],
  },
  "auth-logout": {
    fields: [
      ["removed", "How many profiles"],
      ["orphans", "With `--all`: how many secrets that no profile owned were removed as well"],
      ["profiles[].url", url[1]],
      ["profiles[].name", name[1]],
      ["profiles[].removed", "Whether it is gone"],
      [
        "profiles[].revocation",
        "`revoked`; `refresh token`: that alone was revoked; `invalid`: the token was not good any more; `kept`: the server does not revoke it; `unreachable`; `not asked`: nobody could be",
      ],
    ],
  },
  "auth-refresh": {
    fields: [url, name, ["refreshed", "`false` where another process has just done it"], expiresAt],
  },
  "auth-switch": { fields: [url, name] },
  "auth-token": {
    fields: [
      url,
      ["token", "Not with `--header`"],
      ["header", "With `--header`: `Authorization: Bearer …`"],
    ],
  },
  "mcp-list": {
    says: "An object with `file`, the configuration file, and `servers`, an array with one of these for each:",
    fields: [
      ["name", "The server's name"],
      ["type", "`stdio`, `http` or `sse`; `null` where the entry is none"],
      ["target", "The command line or the URL, without what is secret in it; or `null`"],
      ["state", "`on` or `off`"],
      ["tags", "A list"],
      ["pin", "`off`, `warn` or `block`"],
    ],
  },
  "mcp-add": {
    fields: [
      ["file", "The configuration file"],
      ["dryRun", "Whether nothing was written (`--dry-run`)"],
      [
        "servers",
        "An array of `{name, outcome, entry, secrets, notes}`: `outcome` is `added`, `replaced` or `unchanged`, `entry` what the file has, without what is secret in it, `secrets` the names of those that were kept (with `--dry-run`: would be asked for), `notes` sentences",
      ],
    ],
  },
  "mcp-remove": {
    says: "The exit code is 1 where a secret could not be removed.",
    fields: [
      ["file", "The configuration file"],
      ["removed", "The names of the servers"],
      ["secretsRemoved", "The names of the secrets that were kept for them"],
      ["secretsLeft", "The names of those that could not be removed from where they are kept"],
    ],
  },
  "mcp-enable": {
    fields: [
      ["file", "The configuration file"],
      ["changed", "The names of the servers that were off before"],
      ["unchanged", "The names of those that were so already"],
    ],
  },
  "mcp-disable": {
    fields: [
      ["file", "The configuration file"],
      ["changed", "The names of the servers that were on before"],
      ["unchanged", "The names of those that were so already"],
    ],
  },
};
