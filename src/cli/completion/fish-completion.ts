import { flagsWithValue } from "./completion-model.ts";
import type { CompletedCommand, ValueKind } from "./completion-model.ts";

/** A script for fish 3 and later. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => step(path));
  return `# Completion of agent for fish. For every shell: agent completion fish > ~/.config/fish/completions/agent.fish
function __onedoor_agent_at --description 'Whether the command line stands at this command'
    set -l found
    set -l previous
    for word in (commandline -opc)[2..]
        if not contains -- "$previous" ${flagsWithValue(commands).join(" ")}
            switch "$found $word"
                case ${known.join(" ")}
                    set -a found $word
            end
        end
        set previous $word
    end
    test "$found" = "$argv"
end
complete -c agent -f
complete -c onedoor -w agent
${commands.flatMap(lines).join("\n")}
`;
}

function step(path: readonly string[]): string {
  return quoted(`${path.slice(0, -1).join(" ")} ${path.at(-1)}`);
}

function lines({ path, words, options }: CompletedCommand): string[] {
  const at = `complete -c agent -n ${quoted(["__onedoor_agent_at", ...path].join(" "))}`;
  return [
    ...words.map(({ word, describe }) => `${at} -a ${word}${description(describe)}`),
    ...options.map(({ long, short, describe, value }) =>
      [
        `${at} -l ${long}`,
        ...(short === undefined ? [] : [` -s ${short}`]),
        offer(value),
        description(describe),
      ].join(""),
    ),
  ];
}

function description(text: string): string {
  return text === "" ? "" : ` -d ${quoted(text)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function offer(value: ValueKind): string {
  switch (value.kind) {
    case "choices":
      return ` -x -a ${quoted(value.choices.join(" "))}`;
    case "file":
      return " -r -F";
    case "folder":
      return " -x -a '(__fish_complete_directories)'";
    case "any":
      return " -x";
    case "none":
      return "";
  }
}
