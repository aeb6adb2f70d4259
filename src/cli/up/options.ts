// What `spindle up` was asked to do, and the flags that say it: Spin's names first, then our own.

import { Command, Option } from "commander";
import {
  addServerOptions,
  addTrustOptions,
  type ServerOptions,
  type TrustOptions,
} from "../bindle/server-options.ts";
import { addKeyValue, addValue, moreThanZero, parseDurationMs, parseThreads } from "../values.ts";
import { addLimitOptions, type LimitOptions } from "./limit-options.ts";

/** As commander gives it: names of flags in camel case, absent where neither flag nor variable is set. */
export interface UpOptions extends ServerOptions, TrustOptions, LimitOptions {
  readonly from?: string;
  /** NAME/VERSION of an application on a Bindle server, or in a directory. */
  readonly bindle?: string;
  readonly bindleDir?: string;
  readonly componentId?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly profile?: string;
  readonly build?: boolean;

  /** `host:port` */
  readonly listen: string;
  readonly findFreePort?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly workers: number;
  readonly format: "plain" | "json";

  readonly quiet?: boolean;
  readonly follow?: readonly string[];
  readonly logDir?: string;
  readonly truncateLogs?: boolean;
  readonly logPrefix?: boolean;
  readonly debug?: boolean;

  readonly directMounts?: boolean;
  readonly allowTransientWrite?: boolean;
  readonly temp?: string;
  readonly cacheDir?: string;
  readonly stateDir?: string;

  readonly blockNetwork?: readonly string[];
  readonly outboundTimeout?: number;
}

const EXAMPLES = `
Examples:
  spindle up                          the application in this directory, on http://127.0.0.1:3000
  spindle up -f examples/hello        the one in another directory
  spindle up -f hello.wasm            a single module, which answers every path
  spindle up --listen 127.0.0.1:0     any free port; the address is printed
  spindle up --bindle hello/1.0.0 --server http://127.0.0.1:8080/v1/
  spindle up --follow api --log-dir "" -e LOG_LEVEL=debug
`;

/** Makes the command; `action` gets the options, in Spin's meaning. */
export function upCommand(action: (options: UpOptions) => Promise<void>): Command {
  const command = new Command("up")
    .alias("u")
    .summary("run an application, and serve it over HTTP")
    .description("Runs the application of a spin.toml and serves it over HTTP, until Ctrl-C.")
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", EXAMPLES);
  addApplicationOptions(command);
  addBindleOptions(command);
  addListenerOptions(command);
  addOutputOptions(command);
  addFileOptions(command);
  addLimitOptions(command);
  addOutboundOptions(command);
  addSpinOptions(command);
  return command.action(async (raw: SpinSpellings & UpOptions) => {
    check(command);
    await action(withSpinSpellings(raw));
  });
}

/** Mistakes that commander does not see. */
function check(command: Command): void {
  const [excess] = command.args;
  if (excess !== undefined) {
    command.error(
      `error: unexpected argument "${excess}"\n  hint: Did you mean \`spindle up --from ${excess}\`?`,
    );
  }
  const isGiven = (name: string) => command.getOptionValueSource(name) !== undefined;
  if (["from", "file", "fromFile", "bindle", "fromBindle"].filter(isGiven).length > 1) {
    command.error("error: more than one application was named: use one of --from, --bindle");
  }
  const isBindle = isGiven("bindle") || isGiven("fromBindle");
  const local = isBindle ? LOCAL_ONLY.find((flag) => isGiven(attributeOf(flag))) : undefined;
  if (local !== undefined)
    command.error(`error: ${nameOf(local)} needs the application's own files, not a bindle`);
  const remote = isBindle ? undefined : BINDLE_ONLY.find((flag) => isGiven(attributeOf(flag)));
  if (remote !== undefined) command.error(`error: ${nameOf(remote)} is for a bindle: name it with --bindle`);
  if (isGiven("tlsCert") !== isGiven("tlsKey")) {
    command.error("error: --tls-cert and --tls-key go together: give both, or none for plain HTTP");
  }
  for (const flags of UNSUPPORTED) {
    if (isGiven(attributeOf(flags)))
      command.error(`error: ${nameOf(flags)} is not supported by this version of Spindle`);
  }
  for (const flags of MEANINGLESS) {
    if (isGiven(attributeOf(flags)))
      process.stderr.write(`note: ${nameOf(flags)} has no meaning in Spindle and is ignored\n`);
  }
}

function addApplicationOptions(command: Command): void {
  command
    .optionsGroup("Application:")
    .option("-f, --from <source>", 'a manifest, a directory with a "spin.toml", or a .wasm or .wat file')
    .option("-c, --component-id <id>", "run only this component; may be repeated", addValue)
    .option(
      "-e, --env <key=value>",
      "set an environment variable in all components; may be repeated",
      addKeyValue,
    )
    .option("--profile <name>", "use this build profile of the manifest")
    .option("--build", "run the build commands of the components first ($SPIN_ALWAYS_BUILD)");
}

/** Flags that mean nothing for an application in a bindle. */
const LOCAL_ONLY = ["--build", "--profile <name>", "--direct-mounts"];

/** Flags that mean nothing for any other: who gives one may believe that signatures are checked. */
const BINDLE_ONLY = ["--bindle-dir <dir>", "--verify <strategy>"];

function addBindleOptions(command: Command): void {
  command
    .optionsGroup("Bindle server:")
    .option("-b, --bindle <id>", "run a bindle, NAME/VERSION; after the first time from the cache")
    .option("--bindle-dir <dir>", "run it from a directory that `spindle bindle prepare` or `get` made")
    .addOption(new Option("--from-bindle <id>").hideHelp());
  addTrustOptions(addServerOptions(command));
}

function addListenerOptions(command: Command): void {
  command
    .optionsGroup("Listener:")
    .addOption(
      new Option("--listen <address>", "host and port to listen on; port 0 takes a free one")
        .env("SPIN_HTTP_LISTEN_ADDR")
        .default("127.0.0.1:3000"),
    )
    .option("--find-free-port", "if the port is in use, try the next ones")
    .addOption(new Option("--tls-cert <file>", "certificate chain, PEM; serves HTTPS").env("SPIN_TLS_CERT"))
    .addOption(new Option("--tls-key <file>", "private key of --tls-cert, PEM").env("SPIN_TLS_KEY"))
    .addOption(
      new Option(
        "--workers <count>",
        'threads that serve, each with instances of its own; "auto": one for each core',
      )
        .argParser(parseThreads)
        .default(1),
    )
    .addOption(
      new Option("--format <format>", "how to print address and routes")
        .choices(["plain", "json"])
        .default("plain"),
    );
}

function addOutputOptions(command: Command): void {
  command
    .optionsGroup("Output of components:")
    .addOption(new Option("-q, --quiet", "do not show it on the terminal").conflicts("follow"))
    .option("--follow <id>", "show only that of this component; may be repeated", addValue)
    .option("--log-prefix", "begin each line on the terminal with the component that wrote it")
    .addOption(
      new Option(
        "-L, --log-dir <dir>",
        'where log files go; "" for none (default: "logs" in the state directory)',
      ).env("SPIN_LOG_DIR"),
    )
    .option("--truncate-logs", "empty the log files at start")
    .option("--debug", "explain errors with causes and stacks, failed requests to their clients too");
}

function addFileOptions(command: Command): void {
  command
    .optionsGroup("Files:")
    .option("--direct-mounts", "let components see the files themselves, not copies made at start")
    .option("--allow-transient-write", "let components write to their files")
    .option("--temp <dir>", "where copies of files are made; it is kept (default: a temporary directory)")
    .option("--cache-dir <dir>", "where downloads and prepared modules are kept")
    .option("--state-dir <dir>", 'where the application keeps state (default: ".spin" beside the manifest)');
}

function addOutboundOptions(command: Command): void {
  command
    .optionsGroup("Requests of components:")
    .option(
      "--block-network <network>",
      'let none reach this network, such as 10.0.0.0/8; "private": all that is not public; may be repeated',
      addValue,
    )
    .option(
      "--outbound-timeout <duration>",
      "time to connect, to the first byte, and between bytes of an answer",
      moreThanZero(parseDurationMs),
    );
}

/** Other spellings that Spin takes, with what they mean. */
interface SpinSpellings {
  readonly file?: string;
  readonly fromFile?: string;
  readonly fromBindle?: string;
  readonly tmp?: string;
  readonly sh?: boolean;
  readonly shush?: boolean;
}

function withSpinSpellings({
  file,
  fromFile,
  fromBindle,
  tmp,
  sh,
  shush,
  ...options
}: SpinSpellings & UpOptions): UpOptions {
  const from = options.from ?? fromFile ?? file;
  const bindle = options.bindle ?? fromBindle;
  const temp = options.temp ?? tmp;
  const quiet = options.quiet ?? sh ?? shush ?? false;
  const build = options.build ?? isTrue(process.env.SPIN_ALWAYS_BUILD);
  return {
    ...options,
    quiet,
    build,
    ...(from !== undefined && { from }),
    ...(bindle !== undefined && { bindle }),
    ...(temp !== undefined && { temp }),
  };
}

/** As Spin reads variables that stand for flags. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && !/^(|0|n|no|f|false|off)$/i.test(value);
}

/** Flags of Spin for which there is nothing to do here: the engine is another. */
const MEANINGLESS = [
  "--disable-cache",
  "--cache <file>",
  "--disable-pooling",
  "--debug-info",
  "--experimental-wasi-otel",
  "--max-instance-reuse-count <range>",
  "--max-instance-concurrent-reuse-count <range>",
  "--idle-instance-timeout <range>",
];

/** Flags of Spin that would change what the application does: to ignore them would be a lie. */
const UNSUPPORTED = [
  "--from-registry <reference>",
  "--runtime-config-file <file>",
  "--variable <key=value>",
  "--key-value <key=value>",
  "--sqlite <statement>",
];

function addSpinOptions(command: Command): void {
  const spellings = ["--file <source>", "--from-file <source>", "--tmp <dir>", "--sh", "--shush"];
  for (const flags of [...spellings, ...MEANINGLESS, ...UNSUPPORTED]) {
    command.addOption(new Option(flags).hideHelp());
  }
}

function attributeOf(flags: string): string {
  return new Option(flags).attributeName();
}

function nameOf(flags: string): string {
  return new Option(flags).long ?? flags;
}
