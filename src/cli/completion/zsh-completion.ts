import { flagsWithValue, spellings } from "./completion-model.ts";
import type { CompletedCommand, ValueKind } from "./completion-model.ts";

/** A script for zsh: to be evaluated after compinit, or to lie as `_agent` in a folder of $fpath. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => step(path));
  return `#compdef agent onedoor
# Completion of agent for zsh. For this shell, after compinit: eval "$(agent completion zsh)"
_onedoor_agent() {
  local found="" previous="\${words[CURRENT-1]}" index
  local -a offered options
  for ((index = 2; index < CURRENT; index++)); do
    case "\${words[index-1]}" in
      (${flagsWithValue(commands).join("|")}) continue ;;
    esac
    case "$found \${words[index]}" in
      (${known.join("|")}) found="\${found:+$found }\${words[index]}" ;;
    esac
  done
  case "$found" in
${commands.map(branch).join("\n")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option options
  else
    _describe command offered
  fi
}
if [[ "\${funcstack[1]}" == _agent ]]; then
  _onedoor_agent "$@"
else
  compdef _onedoor_agent agent onedoor
fi
`;
}

function step(path: readonly string[]): string {
  return `"${path.slice(0, -1).join(" ")} ${path.at(-1)}"`;
}

function branch({ path, words, options }: CompletedCommand): string {
  const values = options
    .filter(({ value }) => value.kind !== "none")
    .map((option) => `        (${spellings(option).join("|")}) ${offer(option.value)}; return ;;`);
  const rows = options.flatMap((option) =>
    spellings(option).map((flag) => row(flag, option.describe)),
  );
  return `    ("${path.join(" ")}")
      case "$previous" in
${values.join("\n")}
      esac
      offered=(${words.map(({ word, describe }) => row(word, describe)).join(" ")})
      options=(${rows.join(" ")})
      ;;`;
}

/** One word and what it is, quoted for an array of _describe. */
function row(word: string, describe: string): string {
  const text = describe === "" ? word : `${word}:${describe}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function offer(value: ValueKind): string {
  switch (value.kind) {
    case "choices":
      return `compadd -- ${value.choices.join(" ")}`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "any":
    case "none":
      return ":";
  }
}
