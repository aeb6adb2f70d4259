// `spindle bindle ...`: which commands there are, and their flags. What they do is in files of their own.

import { Command, InvalidArgumentError, Option } from "commander";
import type { SignatureRole } from "../../registry/mod.ts";
import { parseCount, parseSize } from "../values.ts";
import {
  addServerOptions,
  addTrustOptions,
  type ServerOptions,
  type TrustOptions,
} from "./server-options.ts";

export interface ApplicationOptions {
  readonly from?: string;
  readonly buildinfo?: string;
  readonly stagingDir?: string;
  readonly cacheDir?: string;
}

export interface PushOptions extends ApplicationOptions, ServerOptions {
  /** A directory with a bindle that was prepared, in place of an application. */
  readonly path?: string;
  readonly signKey?: string;
  readonly label?: string;
  readonly role: SignatureRole;
}

export interface InfoOptions extends ServerOptions, TrustOptions {
  readonly format: "text" | "toml" | "json";
  readonly yanked?: boolean;
}

export interface GetOptions extends ServerOptions, TrustOptions {
  readonly dir: string;
  readonly yanked?: boolean;
  readonly cacheDir?: string;
}

export interface SearchOptions extends ServerOptions {
  readonly bindleVersion?: string;
  readonly limit?: number;
  readonly offset?: number;
  readonly yanked?: boolean;
  readonly format: "text" | "json";
}

export interface KeysOptions {
  readonly label?: string;
  readonly role?: readonly SignatureRole[];
  readonly keyring?: string;
  readonly secretKeys?: string;
}

export interface ServeOptions {
  readonly dir?: string;
  readonly listen: string;
  readonly htpasswdFile?: string;
  readonly unauthenticated?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly keyring?: string;
  readonly signingKeys?: string;
  readonly strategy?: string;
  readonly maxParcelSize?: number;
}

/** What the user asked for. */
export type BindleRequest =
  | { readonly kind: "prepare"; readonly options: ApplicationOptions & { readonly stagingDir: string } }
  | { readonly kind: "push"; readonly id: string | undefined; readonly options: PushOptions }
  | { readonly kind: "info"; readonly id: string; readonly options: InfoOptions }
  | { readonly kind: "get"; readonly id: string; readonly options: GetOptions }
  | { readonly kind: "search"; readonly words: readonly string[]; readonly options: SearchOptions }
  | { readonly kind: "yank"; readonly id: string; readonly options: ServerOptions }
  | { readonly kind: "login"; readonly options: ServerOptions }
  | { readonly kind: "keys-create" | "keys-list" | "keys-export"; readonly options: KeysOptions }
  | { readonly kind: "keys-add"; readonly file: string; readonly options: KeysOptions }
  | { readonly kind: "keys-fetch"; readonly options: KeysOptions & ServerOptions }
  | { readonly kind: "serve"; readonly options: ServeOptions };

type Act = (request: BindleRequest) => Promise<void>;

const EXAMPLES = `
Examples:
  spindle bindle serve                              a server for this machine, until Ctrl-C
  spindle bindle push --server http://127.0.0.1:8080/v1/
  spindle up --bindle hello/1.0.0 --server http://127.0.0.1:8080/v1/
`;

export function bindleCommand(act: Act): Command {
  const command = new Command("bindle")
    .summary("push applications to a Bindle server, and look after them there")
    .description("Pushes applications to a Bindle server, and looks after them there.")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show help for a command")
    .addHelpText("after", EXAMPLES);
  const commands = [
    prepareCommand(act),
    pushCommand(act),
    infoCommand(act),
    getCommand(act),
    searchCommand(act),
    yankCommand(act),
    loginCommand(act),
    keysCommand(act),
    serveCommand(act),
  ];
  for (const child of commands) command.addCommand(child);
  return command;
}

function newCommand(name: string, description: string): Command {
  return new Command(name).description(description).helpOption("-h, --help", "show this help");
}

function addApplicationOptions(command: Command): Command {
  return command
    .optionsGroup("Application:")
    .option("-f, --from <source>", 'a manifest, or a directory with a "spin.toml"')
    .option("--buildinfo <text>", "build metadata to add to the version")
    .option("--cache-dir <dir>", "where downloads are kept")
    .addOption(new Option("--file <source>").hideHelp())
    .hook("preAction", (self) => {
      const file: unknown = self.getOptionValue("file");
      if (file !== undefined) self.setOptionValue("from", file);
    });
}

function prepareCommand(act: Act): Command {
  return addApplicationOptions(newCommand("prepare", "make a bindle of an application, in a directory"))
    .requiredOption("-d, --staging-dir <dir>", "where to make it")
    .action((options: ApplicationOptions & { readonly stagingDir: string }) =>
      act({ kind: "prepare", options }),
    );
}

function pushCommand(act: Act): Command {
  const command = newCommand("push", "push an application to a Bindle server");
  addApplicationOptions(command)
    .option("-d, --staging-dir <dir>", "make the bindle here first, and keep it")
    .option("-p, --path <dir>", "push the bindle that was prepared in this directory")
    .argument("[id]", "with --path: which bindle");
  addServerOptions(command);
  return command
    .optionsGroup("Signature:")
    .option("--sign-key <file>", "sign with a secret key of this file")
    .option("--label <text>", "which key of the file, by a part of its label")
    .option("--role <role>", "sign as creator, approver, host or proxy", parseRole, "creator")
    .action((id: string | undefined, options: PushOptions, self: Command) => {
      if ((id === undefined) !== (options.path === undefined)) {
        self.error("error: --path and an id go together: `spindle bindle push --path DIR NAME/VERSION`");
      }
      refuseIgnored(self, options);
      return act({ kind: "push", id, options });
    });
}

const ROLES: readonly SignatureRole[] = ["creator", "approver", "host", "proxy"];

function parseRole(text: string): SignatureRole {
  const role = ROLES.find((name) => name === text.toLowerCase());
  if (role !== undefined) return role;
  throw new InvalidArgumentError(`The roles are ${ROLES.join(", ")}.`);
}

function addRole(text: string, before: readonly SignatureRole[] = []): readonly SignatureRole[] {
  return [...before, parseRole(text)];
}

/** A flag without effect is a mistake: who gives one may believe that the bindle is signed. */
function refuseIgnored(command: Command, options: PushOptions): void {
  const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
  if (options.signKey === undefined && (options.label !== undefined || isGiven("role"))) {
    command.error("error: --label and --role choose a key to sign with: give its file with --sign-key");
  }
  if (options.path === undefined) return;
  if (["from", "file", "buildinfo"].some(isGiven)) {
    command.error("error: --path pushes a bindle as it is: --from and --buildinfo are for an application");
  }
}

function infoCommand(act: Act): Command {
  const command = newCommand("info", "show the invoice of a bindle")
    .argument("<id>", "NAME/VERSION")
    .addOption(
      new Option("--format <format>", "how to show it").choices(["text", "toml", "json"]).default("text"),
    )
    .option("--yanked", "even if it was yanked");
  return addTrustOptions(addServerOptions(command)).action((id: string, options: InfoOptions) =>
    act({ kind: "info", id, options }),
  );
}

function getCommand(act: Act): Command {
  const command = newCommand("get", "fetch a bindle into a directory")
    .argument("<id>", "NAME/VERSION")
    .requiredOption("-d, --dir <dir>", "where to put it, below a name of its own")
    .option("--cache-dir <dir>", "where downloads are kept")
    .option("--yanked", "even if it was yanked");
  return addTrustOptions(addServerOptions(command)).action((id: string, options: GetOptions) =>
    act({ kind: "get", id, options }),
  );
}

/** What the protocol has room for. */
const LIMIT_MAX = 255;

function parseLimit(text: string): number {
  const limit = parseCount(text);
  if (limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It must be at most ${LIMIT_MAX}.`);
}

function searchCommand(act: Act): Command {
  const command = newCommand("search", "list the bindles of a server")
    .argument("[words...]", "all of them are in the name")
    .option("--bindle-version <range>", 'a version, or a range such as "^1.2"')
    .option("--limit <count>", `how many to list, at most ${LIMIT_MAX}`, parseLimit)
    .option("--offset <count>", "how many to leave out first", parseCount)
    .option("--yanked", "yanked ones too")
    .addOption(new Option("--format <format>", "how to show them").choices(["text", "json"]).default("text"));
  return addServerOptions(command).action((words: readonly string[], options: SearchOptions) =>
    act({ kind: "search", words, options }),
  );
}

function yankCommand(act: Act): Command {
  const command = newCommand("yank", "withdraw a bindle").argument("<id>", "NAME/VERSION");
  return addServerOptions(command).action((id: string, options: ServerOptions) =>
    act({ kind: "yank", id, options }),
  );
}

function loginCommand(act: Act): Command {
  const command = newCommand("login", "log in to a server that asks an identity provider");
  return addServerOptions(command).action((options: ServerOptions) => act({ kind: "login", options }));
}

function keysCommand(act: Act): Command {
  const command = newCommand("keys", "keys that sign bindles, and keys that are believed");
  const files = (child: Command): Command =>
    child
      .addOption(new Option("--keyring <file>", "public keys").env("BINDLE_KEYRING"))
      .option("--secret-keys <file>", "secret keys, which only you should read");
  const create = files(newCommand("create", "make a key, and believe it"))
    .requiredOption("--label <text>", 'whose it is: "Name <mail address>"')
    .option("--role <role>", "creator (the default), approver, host or proxy; may be repeated", addRole)
    .action((options: KeysOptions) => act({ kind: "keys-create", options }));
  const list = files(newCommand("list", "list the keys")).action((options: KeysOptions) =>
    act({ kind: "keys-list", options }),
  );
  const exported = files(
    newCommand("export", "print the public halves of your keys, for others to add"),
  ).action((options: KeysOptions) => act({ kind: "keys-export", options }));
  const add = files(newCommand("add", "believe the keys in a file"))
    .argument("<file>", "what `spindle bindle keys export` printed")
    .action((file: string, options: KeysOptions) => act({ kind: "keys-add", file, options }));
  const fetched = addServerOptions(files(newCommand("fetch", "believe the keys of a server"))).action(
    (options: KeysOptions & ServerOptions) => act({ kind: "keys-fetch", options }),
  );
  for (const child of [create, list, exported, add, fetched]) command.addCommand(child);
  return command;
}

function serveCommand(act: Act): Command {
  return newCommand("serve", "be a Bindle server, until Ctrl-C")
    .option("--dir <dir>", "where bindles are stored (default: in your data directory)")
    .addOption(
      new Option("--listen <address>", "host and port to listen on; port 0 takes a free one")
        .env("BINDLE_IP_ADDRESS_PORT")
        .default("127.0.0.1:8080"),
    )
    .option("--htpasswd-file <file>", "users who may push and yank, with bcrypt hashes")
    .option("--unauthenticated", "let everybody who reaches the server push and yank")
    .option("--tls-cert <file>", "certificate chain, PEM; serves HTTPS")
    .option("--tls-key <file>", "private key of --tls-cert, PEM")
    .option("--strategy <strategy>", 'demand signatures, such as "CreativeIntegrity"')
    .addOption(new Option("--keyring <file>", "public keys to believe").env("BINDLE_KEYRING"))
    .option("--signing-keys <file>", "sign what is pushed with the host key of this file")
    .option("--max-parcel-size <size>", "size of one parcel (default: 1GiB)", parseSize)
    .action((options: ServeOptions, self: Command) => {
      if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
        self.error("error: --tls-cert and --tls-key go together: give both, or none for plain HTTP");
      }
      return act({ kind: "serve", options });
    });
}
