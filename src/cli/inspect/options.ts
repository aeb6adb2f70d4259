// What `spindle inspect` was asked for, and the flags that say it.

import { Command, Option } from "commander";
import { addValue } from "../values.ts";

/** Absent where neither flag nor argument is given. */
export interface InspectOptions {
  readonly from?: string;
  readonly componentId?: readonly string[];
  readonly profile?: string;
  readonly cacheDir?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  spindle inspect hello.wasm          what a module or component imports, exports and needs
  spindle inspect                     all components of the spin.toml here, and what they may do
  spindle inspect -f app -c api --json
`;

/** Makes the command; `action` gets the options. */
export function inspectCommand(action: (options: InspectOptions) => Promise<void>): Command {
  const command = new Command("inspect")
    .summary("tell what a module or component is made of")
    .description(
      "Tells what a module or component imports and exports, what would run it, what is missing, and, with a manifest, what it may do. Nothing of it is called.",
    )
    .argument(
      "[source]",
      "a module, a component, a manifest, or a directory with one (default: this directory)",
    )
    .addOption(new Option("-f, --from <source>", "the same"))
    .option("-c, --component-id <id>", "only this component; may be repeated", addValue)
    .option("--profile <name>", "use this build profile of the manifest")
    .option("--cache-dir <dir>", "where downloads and prepared modules are kept")
    .option("--json", "print data, for programs")
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", EXAMPLES);
  return command.action(async (source: string | undefined, options: InspectOptions) => {
    const [, excess] = command.args;
    if (excess !== undefined) command.error(`error: unexpected argument "${excess}"`);
    if (source !== undefined && options.from !== undefined)
      command.error(`error: "${source}" and --from ${options.from} contradict each other`);
    await action(source === undefined ? options : { ...options, from: source });
  });
}
