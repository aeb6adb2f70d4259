// The command line as a whole: which commands there are, what a mistake is answered with.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { didYouMean } from "../errors/mod.ts";
import { type BindleRequest, bindleCommand } from "./bindle/commands.ts";
import { completionScript, SHELLS } from "./completions.ts";
import { type InspectOptions, inspectCommand } from "./inspect/options.ts";
import { type UpOptions, upCommand } from "./up/options.ts";

/** What the process ends with; after Ctrl-C it is 130, as shells have it. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Commands of Spin that are not here yet; told apart from typing errors. */
const COMMANDS_OF_SPIN = [
  "add",
  "build",
  "deploy",
  "doctor",
  "login",
  "new",
  "oci",
  "plugins",
  "registry",
].concat(["targets", "templates", "watch"]);

/** What commands do; each gives an exit code. */
export interface Actions {
  up(options: UpOptions): Promise<number>;
  bindle(request: BindleRequest): Promise<number>;
  inspect(options: InspectOptions): Promise<number>;
}

/** Runs the command in `argv`, which has neither the name of Node nor of the script, and gives the exit code. */
export async function runProgram(argv: readonly string[], actions: Actions): Promise<number> {
  let code: number = EXIT.ok;
  const handlers: Handlers = {
    async up(options) {
      code = await actions.up(options);
    },
    async bindle(request) {
      code = await actions.bindle(request);
    },
    async inspect(options) {
      code = await actions.inspect(options);
    },
  };
  const program = createProgram(handlers, argv);
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

interface Handlers {
  up(options: UpOptions): Promise<void>;
  bindle(request: BindleRequest): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
}

/** Hundreds of flags take a while to make: who serves, above all, does not wait for those of other commands. */
function createProgram(actions: Handlers, [name]: readonly string[]): Command {
  const program = new Command("spindle")
    .description(
      "Runs Spin applications on Node.js: WebAssembly components, a fresh instance for every request.",
    )
    .version(`spindle ${version()}`, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show help for a command")
    .configureOutput({ outputError: (text, write) => write(withHint(text)) })
    .exitOverride()
    // Commands answer them better.
    .allowExcessArguments()
    .addHelpText("after", "\nTo begin: `spindle up --help`, or `spindle up` where a spin.toml is.\n");
  program.addCommand(inherit(program, upCommand(actions.up)));
  if (name !== "up" && name !== "u") addOtherCommands(program, actions);
  return program;
}

function addOtherCommands(program: Command, actions: Handlers): void {
  program.addCommand(refuseExcess(inherit(program, bindleCommand(actions.bindle))));
  program.addCommand(inherit(program, inspectCommand(actions.inspect)));
  program.addCommand(inherit(program, maintenanceCommand(program)), { hidden: true });
  for (const name of COMMANDS_OF_SPIN) program.addCommand(missingCommand(program, name), { hidden: true });
  program.on("command:*", ([name = ""]: string[]) => {
    const hint = didYouMean(name, ["up", "bindle", "inspect"]) ?? "See `spindle --help`.";
    program.error(`error: "${name}" is not a command\n  hint: ${hint}`);
  });
}

/** Commander's errors in our form: its suggestion is on a line of its own, in parentheses. */
function withHint(text: string): string {
  return `${text.trimEnd().replace(/^\((Did you mean .*)\)$/m, "  hint: $1")}\n`;
}

/** A command made on its own does not take over how the program ends and prints; these do. */
function inherit(program: Command, command: Command): Command {
  command.copyInheritedSettings(program);
  for (const child of command.commands) inherit(program, child);
  const names = ancestry(command).map((each) => each.name());
  return command.showHelpAfterError(`  hint: See \`spindle ${names.join(" ")} --help\`.`);
}

/** A stray argument is an error for a command and those below it. */
function refuseExcess(command: Command): Command {
  for (const child of command.commands) refuseExcess(child);
  return command.allowExcessArguments(false);
}

/** The command below the program that a command belongs to, and so on down to itself. */
function ancestry(command: Command): readonly Command[] {
  return [...(command.parent ? ancestry(command.parent) : []), command];
}

function missingCommand(program: Command, name: string): Command {
  return new Command(name)
    .allowUnknownOption()
    .helpOption(false)
    .action(() =>
      program.error(
        `error: \`spindle ${name}\` is not part of this version\n  hint: See \`spindle --help\`.`,
      ),
    );
}

function maintenanceCommand(program: Command): Command {
  const completions = new Command("generate-completions")
    .description("print a script that completes commands and flags")
    .argument("<shell>", SHELLS.join(", "))
    .action((shell: string) => {
      const script = completionScript(program, shell);
      if (script === undefined)
        program.error(`error: There are completions for ${SHELLS.join(", ")}, not for "${shell}"`);
      else process.stdout.write(script);
    });
  return new Command("maintenance").description("for packagers").addCommand(completions);
}

/** The version of the package, which is as far above this file in `src/` as in `dist/`. */
export function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return String(JSON.parse(readFileSync(file, "utf8")).version);
}
