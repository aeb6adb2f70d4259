// Scripts that complete commands and flags in a shell, made from the commands themselves.

import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** The script for a shell, or undefined if that shell is not known. */
export function completionScript(program: Command, shell: string): string | undefined {
  const commands = withSubcommands(program, []);
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
  /** The words that lead to the command; none lead to `spindle` itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly { readonly long: string; readonly text: string; readonly takesValue: boolean }[];
}

/** A command, then those below it. */
function withSubcommands(command: Command, path: readonly string[]): readonly Completed[] {
  const helper = command.createHelp();
  const commands = helper.visibleCommands(command);
  const completed: Completed = {
    path,
    commands: commands.map((child) => ({
      name: child.name(),
      summary: child.summary() || child.description(),
    })),
    flags: helper.visibleOptions(command).map((option) => ({
      long: option.long ?? option.flags,
      text: option.description,
      takesValue: option.required,
    })),
  };
  return [completed, ...commands.flatMap((child) => withSubcommands(child, [...path, child.name()]))];
}

/** The way to a command is written with a space before each word. */
function bash(all: readonly Completed[]): string {
  const keyOf = (path: readonly string[]) => `"${path.map((word) => ` ${word}`).join("")}"`;
  const ways = all.filter(({ path }) => path.length > 0).map(({ path }) => keyOf(path));
  const cases = all.map(({ path, commands, flags }) => {
    const words = [...commands.map(({ name }) => name), ...flags.map(({ long }) => long)];
    return `    ${keyOf(path)}) words="${words.join(" ")}" ;;`;
  });
  return `_spindle() {
  local way="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$way $word" in
      ${ways.join(" | ")}) way="$way $word" ;;
    esac
  done
  case "$way" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _spindle spindle
`;
}

function fish(all: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const lines = all.flatMap(({ path, commands, flags }) => {
    const names = commands.map(({ name }) => name).join(" ");
    const here = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const complete = (conditions: readonly string[]) =>
      `complete -c spindle${conditions.length > 0 ? ` -n '${conditions.join("; and ")}'` : ""}`;
    return [
      ...commands.map(({ name, summary }) => {
        const isNext = `not __fish_seen_subcommand_from ${names}`;
        return `${complete([...here, isNext])} -f -a ${name} -d ${quoted(summary)}`;
      }),
      ...flags.map(({ long, text, takesValue }) => {
        const option = `${complete(here)} -l ${long.slice(2)}`;
        return `${option}${takesValue ? " -r" : ""} -d ${quoted(text)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}
