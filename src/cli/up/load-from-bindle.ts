// `up --bindle`: an application from a Bindle server and the cache, or from a directory.

import { type LoadedApplication, loadBindle } from "../../loader/mod.ts";
import {
  BindleCache,
  type BindleContents,
  openStandaloneBindle,
  parseBindleId,
  removeUnfinishedNow,
  verifyInvoice,
} from "../../registry/mod.ts";
import { connect, trustOf } from "../bindle/connect.ts";
import { bindleCacheOf } from "../bindle/places.ts";
import { TransferText } from "../bindle/transfer-text.ts";
import { withProgress } from "../progress.ts";
import { workingDirectoryOf } from "./directories.ts";
import type { UpOptions } from "./options.ts";

/** Fetches what is not in the cache, and loads it. */
export async function loadFromBindle(id: string, options: UpOptions): Promise<LoadedApplication> {
  // Nobody waits for it after a signal: the process exits, and what it was writing goes with it.
  process.once("exit", removeUnfinishedNow);
  const { signal } = new AbortController();
  const { componentId, env } = options;
  const text = new TransferText("Fetching the application", "Loading Wasm components");
  using resources = new DisposableStack();
  const load = async (): Promise<LoadedApplication> => {
    const contents = await open(id, options, { signal, resources });
    return await loadBindle(contents, {
      ...(componentId !== undefined && { componentIds: componentId }),
      ...(env !== undefined && { environment: env }),
      allowTransientWrite: options.allowTransientWrite ?? false,
      workingDirectory: workingDirectoryOf(options),
      // A directory that the user has named may have files of earlier starts, and is theirs to change.
      files: options.temp === undefined ? "links" : "copies",
      signal,
      progress: text.update,
    });
  };
  return await withProgress(process.stderr, text.current, load());
}

async function open(
  id: string,
  options: UpOptions,
  { signal, resources }: { readonly signal: AbortSignal; readonly resources: DisposableStack },
): Promise<BindleContents> {
  const bindleId = parseBindleId(id);
  const trust = await trustOf(options);
  if (options.bindleDir !== undefined) {
    const contents = await openStandaloneBindle(options.bindleDir, bindleId);
    if (trust) verifyInvoice(contents.invoice, trust);
    return contents;
  }
  const client = resources.use(await connect(options));
  const cache = new BindleCache(bindleCacheOf(options));
  return await cache.openBindle(client, bindleId, { signal, ...(trust && { trust }) });
}
