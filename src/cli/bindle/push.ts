// `spindle bindle prepare` and `push`: from an application on disk to a bindle, in a directory or on a server.

import { realpath } from "node:fs/promises";

import { formatDiagnostic, SpindleError } from "../../errors/mod.ts";
import { prepareBindle } from "../../loader/mod.ts";
import {
  type BindleSource,
  findSecretKey,
  formatBindleId,
  labelsByDigest,
  loadSecretKeys,
  openStandaloneBindle,
  type PushResult,
  parseBindleId,
  pushBindle,
  SignatureError,
  signInvoice,
  writeStandaloneBindle,
} from "../../registry/mod.ts";
import { withProgress } from "../progress.ts";
import { cacheDirectoryOf, workingDirectoryOf } from "../up/directories.ts";
import type { ApplicationOptions, PushOptions } from "./commands.ts";
import { connect } from "./connect.ts";
import { parcelsText, TransferText } from "./transfer-text.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

export async function prepare(
  options: ApplicationOptions & { readonly stagingDir: string },
  { signal }: Abortable,
): Promise<void> {
  const source = await prepareSource(options, { signal });
  await writeStandaloneBindle(options.stagingDir, source, { signal });
  const id = formatBindleId(source.invoice.bindle);
  const directory = await realpath(options.stagingDir);
  process.stdout.write(`id:      ${id}\ncommand: spindle bindle push -p ${directory} ${id}\n`);
}

export async function push(
  id: string | undefined,
  options: PushOptions,
  { signal }: Abortable,
): Promise<void> {
  using client = await connect(options);
  const unsigned = await sourceOf(id, options, { signal });
  const source = options.signKey === undefined ? unsigned : await sign(unsigned, options.signKey, options);
  const { stagingDir } = options;
  if (stagingDir !== undefined) await writeStandaloneBindle(stagingDir, source, { signal });
  const text = new TransferText("Pushing");
  const result = await withProgress(
    process.stderr,
    text.current,
    pushBindle(client, source, { signal, progress: text.update }),
  );
  process.stdout.write(`pushed: ${formatBindleId(result.invoice.bindle)}\n`);
  process.stderr.write(`${describe(result)}\n`);
}

function describe({ kind, sent, invoice }: PushResult): string {
  const present = labelsByDigest(invoice).size - sent.parcels;
  switch (kind) {
    case "created":
      if (sent.parcels === 0) return "The server had all of its parcels already";
      return `Sent ${parcelsText(sent)}${present > 0 ? `; the server had the other ${present}` : ""}`;
    case "resumed":
      return `Sent what an earlier push had left: ${parcelsText(sent)}`;
    case "unchanged":
      return "The server had all of it already";
  }
}

async function sourceOf(
  id: string | undefined,
  options: PushOptions,
  abortable: Abortable,
): Promise<BindleSource> {
  if (id === undefined || options.path === undefined) return await prepareSource(options, abortable);
  return await openStandaloneBindle(options.path, parseBindleId(id));
}

async function prepareSource(options: ApplicationOptions, { signal }: Abortable): Promise<BindleSource> {
  const { from, buildinfo } = options;
  const { source, warnings, isForSpin } = await withProgress(
    process.stderr,
    "Reading the application",
    prepareBindle({
      ...(from !== undefined && { from }),
      ...(buildinfo !== undefined && { buildInfo: buildinfo }),
      workingDirectory: workingDirectoryOf({}),
      cacheDirectory: cacheDirectoryOf(options),
      signal,
    }),
  );
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  if (!isForSpin) {
    process.stderr.write(
      "note: Spindle can run this bindle, Spin cannot: its manifest says more than version 1 can\n",
    );
  }
  return source;
}

async function sign(
  source: BindleSource,
  file: string,
  { label, role }: Pick<PushOptions, "label" | "role">,
): Promise<BindleSource> {
  const keys = await loadSecretKeys(file);
  if (keys.key.length === 0) {
    const hint = "Make one with `spindle bindle keys create`, which prints where it is.";
    throw new SpindleError("BINDLE_KEY_MISSING", `Cannot sign: ${file} has no secret keys`, { hint });
  }
  const key = findSecretKey(keys, { role, ...(label !== undefined && { label, match: "partial" }) });
  try {
    return {
      invoice: signInvoice(source.invoice, key, { role, at: new Date() }),
      contentOf: (sha256) => source.contentOf(sha256),
    };
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const id = formatBindleId(source.invoice.bindle);
    throw new SpindleError("BINDLE_SIGNATURE", `Cannot sign ${id}: ${error.message}`);
  }
}
