// Scripts that complete commands and flags in a shell, made from the commands themselves.

import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** The script for a shell, or undefined if that shell is not known. */
export function completionScript(program: Command, shell: string): string | undefined {
  const commands = visible(program);
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      // zsh runs the script of bash through its own emulation.
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
    case "fish":
      return fish(commands);
  }
  return undefined;
}

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly long: string; readonly text: string; readonly takesValue: boolean }[];
}

function visible(program: Command): Completed[] {
  const helper = program.createHelp();
  return helper.visibleCommands(program).map((command) => ({
    name: command.name(),
    summary: command.summary() || command.description(),
    flags: helper.visibleOptions(command).map((option) => ({
      long: option.long ?? option.flags,
      text: option.description,
      takesValue: option.required,
    })),
  }));
}

function bash(commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map(
    ({ name, flags }) => `    ${name}) words="${flags.map(({ long }) => long).join(" ")}" ;;`,
  );
  return `_spindle() {
  local words="${names} --help --version"
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${names} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _spindle spindle
`;
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c spindle -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...flags.map(({ long, text, takesValue }) => {
      const option = `complete -c spindle -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)}`;
      return `${option}${takesValue ? " -r" : ""} -d ${quoted(text)}`;
    }),
  ]);
  return `${lines.join("\n")}\n`;
}
