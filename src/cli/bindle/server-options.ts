// The flags by which every command that speaks with a Bindle server is told which, and as whom.

import { type Command, Option } from "commander";

export interface ServerOptions {
  readonly server?: string;
  readonly insecure?: boolean;
  readonly ca?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tokenFile?: string;
}

/** Whose signatures a bindle has to have before it is used. */
export interface TrustOptions {
  readonly verify?: string;
  readonly keyring?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .optionsGroup("Bindle server:")
    .addOption(
      new Option("--server <url>", 'its base URL, such as "http://127.0.0.1:8080/v1/"').env("BINDLE_URL"),
    )
    .option("-k, --insecure", "accept any certificate of the server")
    .option("--ca <file>", "certificate authorities to trust instead of the system's, PEM")
    .addOption(new Option("--username <name>", "user name, with --password").env("BINDLE_USERNAME"))
    .addOption(new Option("--password <password>", "password of --username").env("BINDLE_PASSWORD"))
    .addOption(
      new Option("--token-file <file>", "where `spindle bindle login` keeps its token").env(
        "BINDLE_TOKEN_FILE",
      ),
    )
    .addOption(new Option("--bindle-server <url>").hideHelp())
    .addOption(new Option("--bindle-username <name>").hideHelp())
    .addOption(new Option("--bindle-password <password>").hideHelp())
    .hook("preAction", takeSpinSpellings);
}

export function addTrustOptions(command: Command): Command {
  return command
    .option("--verify <strategy>", 'demand signatures, such as "CreativeIntegrity"')
    .addOption(new Option("--keyring <file>", "public keys to believe").env("BINDLE_KEYRING"));
}

const SPIN_SPELLINGS = {
  bindleServer: "server",
  bindleUsername: "username",
  bindlePassword: "password",
} as const;

/** Names that Spin gave these flags count as ours, and come before variables. */
function takeSpinSpellings(command: Command): void {
  for (const [spelling, name] of Object.entries(SPIN_SPELLINGS)) {
    const value: unknown = command.getOptionValue(spelling);
    if (value !== undefined && command.getOptionValueSource(name) !== "cli")
      command.setOptionValue(name, value);
  }
  const isGiven = (name: string) => command.getOptionValue(name) !== undefined;
  if (isGiven("username") !== isGiven("password")) {
    command.error("error: --username and --password go together");
  }
}
