import { flagsWithValue, spellings } from "./completion-model.ts";
import type { CompletedCommand, ValueKind } from "./completion-model.ts";

/** A script for bash 3.2 and later; it needs no other completion package. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => step(path));
  return `# Completion of agent for bash. For this shell: eval "$(agent completion bash)"
_onedoor_agent() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local found="" words="" options="" index
  COMPREPLY=()
  # bash splits --format=json into three words
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $prev == "=" ]]; then
    prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index-1]}" in
      ${flagsWithValue(commands).join("|")}) continue ;;
    esac
    case "$found \${COMP_WORDS[index]}" in
      ${known.join("|")}) found="\${found:+$found }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$found" in
${commands.map(branch).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    words="$options"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _onedoor_agent agent onedoor
`;
}

function step(path: readonly string[]): string {
  return `"${path.slice(0, -1).join(" ")} ${path.at(-1)}"`;
}

function branch({ path, words, options }: CompletedCommand): string {
  const values = options
    .filter(({ value }) => value.kind !== "none")
    .map((option) => `        ${spellings(option).join("|")}) ${offer(option.value)}; return ;;`);
  return `    "${path.join(" ")}")
      case "$prev" in
${values.join("\n")}
      esac
      words="${words.map(({ word }) => word).join(" ")}"
      options="${options.flatMap(spellings).join(" ")}"
      ;;`;
}

function offer(value: ValueKind): string {
  switch (value.kind) {
    case "choices":
      return `COMPREPLY=($(compgen -W "${value.choices.join(" ")}" -- "$cur"))`;
    case "file":
      return `local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`;
    case "folder":
      return `local IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur"))`;
    case "any":
    case "none":
      return ":";
  }
}
