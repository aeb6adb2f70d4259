// `spindle bindle info`, `get`, `search` and `yank`: what is on a server.

import { printableLine } from "../../errors/mod.ts";
import {
  BindleCache,
  formatBindleId,
  formatInvoice,
  type Invoice,
  labelsByDigest,
  parseBindleId,
  verifyInvoice,
  writeStandaloneBindle,
} from "../../registry/mod.ts";
import { withProgress } from "../progress.ts";
import type { GetOptions, InfoOptions, SearchOptions } from "./commands.ts";
import { connect, trustOf } from "./connect.ts";
import { escapeControls } from "./escape-controls.ts";
import { bindleCacheOf } from "./places.ts";
import type { ServerOptions } from "./server-options.ts";
import { parcelsText, sizeText, TransferText } from "./transfer-text.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

export async function info(id: string, options: InfoOptions, { signal }: Abortable): Promise<void> {
  const bindleId = parseBindleId(id);
  using client = await connect(options);
  const trust = await trustOf(options);
  const invoice = await client.getInvoice(bindleId, { signal, yanked: options.yanked ?? false });
  if (trust) verifyInvoice(invoice, trust);
  process.stdout.write(
    options.format === "text"
      ? describe(invoice)
      : `${escapeControls(formatInvoice(invoice, options.format).trimEnd())}\n`,
  );
}

function describe(invoice: Invoice): string {
  const { bindle, yanked, parcel = [], group = [], signature = [] } = invoice;
  const { description, authors = [] } = bindle;
  const bytes = parcel.reduce((sum, { label }) => sum + label.size, 0);
  return [
    `${formatBindleId(bindle)}${yanked ? " (yanked)" : ""}`,
    ...(description === undefined ? [] : [`  ${description}`]),
    ...authors.map((author) => `  by ${author}`),
    ...signature.map(({ by, role }) => `  signed by ${by} as ${role}`),
    parcelsText({ parcels: parcel.length, bytes }),
    ...parcel.map(({ label, conditions }) => {
      const groups = conditions?.memberOf?.join(", ");
      return `  ${label.sha256.slice(0, 12)}  ${sizeText(label.size).padStart(8)}  ${label.name}${groups ? `  (${groups})` : ""}`;
    }),
    `${group.length} ${group.length === 1 ? "group" : "groups"}: ${group.map(({ name }) => name).join(", ")}`,
    "",
  ]
    .map(printableLine)
    .join("\n");
}

export async function get(id: string, options: GetOptions, { signal }: Abortable): Promise<void> {
  const bindleId = parseBindleId(id);
  using client = await connect(options);
  const trust = await trustOf(options);
  const cache = new BindleCache(bindleCacheOf(options));
  const contents = await cache.openBindle(client, bindleId, {
    signal,
    refresh: true,
    check: "digest",
    yanked: options.yanked ?? false,
    ...(trust && { trust }),
  });
  const labels = labelsByDigest(contents.invoice);
  const text = new TransferText("Fetching");
  const fetched = contents.fetch(labels.values(), { signal, progress: text.update });
  await withProgress(process.stderr, text.current, fetched);
  const directory = await writeStandaloneBindle(
    options.dir,
    {
      invoice: contents.invoice,
      contentOf(sha256) {
        const label = labels.get(sha256);
        return label && { kind: "file", path: contents.pathOf(label) };
      },
    },
    { signal },
  );
  process.stdout.write(`${directory}\n`);
}

export async function search(
  words: readonly string[],
  options: SearchOptions,
  { signal }: Abortable,
): Promise<void> {
  using client = await connect(options);
  const { bindleVersion, limit, offset, yanked } = options;
  const matches = await client.query(
    {
      query: words.join(" "),
      ...(bindleVersion !== undefined && { version: bindleVersion }),
      ...(limit !== undefined && { limit }),
      ...(offset !== undefined && { offset }),
      ...(yanked !== undefined && { yanked }),
    },
    { signal },
  );
  if (options.format === "json") {
    process.stdout.write(`${escapeControls(JSON.stringify(matches))}\n`);
    return;
  }
  for (const invoice of matches.invoices) {
    process.stdout.write(
      `${printableLine(formatBindleId(invoice.bindle))}${invoice.yanked ? "  (yanked)" : ""}\n`,
    );
  }
  const shown = matches.offset + matches.invoices.length;
  if (matches.total === 0) process.stderr.write("The server has no such bindle\n");
  else if (matches.more) {
    process.stderr.write(`${matches.total - shown} more: list them with \`--offset ${shown}\`\n`);
  }
}

export async function yank(id: string, options: ServerOptions, { signal }: Abortable): Promise<void> {
  const bindleId = parseBindleId(id);
  using client = await connect(options);
  await client.yank(bindleId, { signal });
  process.stdout.write(`yanked: ${formatBindleId(bindleId)}\n`);
}
