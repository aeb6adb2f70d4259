// The command `spindle`, from the command line to the exit code.

import { runProgram } from "./program.ts";

export async function main(): Promise<void> {
  process.exitCode = await runProgram(process.argv.slice(2), { up: async (o) => console.log(o) });
}
