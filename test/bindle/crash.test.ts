// A server that is killed: what it has acknowledged stays, what it has not is not there by half.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, utimes } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";

import { digestOfBindleId, type Label, parseBindleId, pushBindle } from "../../src/registry/mod.ts";
import { RawClient } from "../http/raw-client.ts";
import { bindleOf, clientOf, sha256, signal, startServer, temporaryFolder } from "./bindles.ts";

interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  kill(): Promise<void>;
}

async function startProcess(directory: string): Promise<ServerProcess> {
  const script = path.join(import.meta.dirname, "serve.ts");
  const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return {
    url: String(line).trim(),
    kill: () => kill(child),
    [Symbol.asyncDispose]: () => kill(child),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("a server that is killed in the middle of an upload has nothing of it, and takes it again", async () => {
  await using folder = await temporaryFolder();
  await using killed = await startProcess(folder.path);
  const text = "0123456789".repeat(1000);
  const bindle = bindleOf("killed/1.0.0", { a: text });
  {
    using client = clientOf(killed.url);
    await client.createInvoice(bindle.invoice, { signal });
    const { hostname, port } = new URL(killed.url);
    using slow = await RawClient.connect({ host: hostname, port: Number(port) });
    const head = `POST /v1/_i/killed/1.0.0@${sha256(text)} HTTP/1.1\r\nhost: x\r\ncontent-length: ${text.length}`;
    slow.send(`${head}\r\n\r\n${text.slice(0, 5000)}`);
    while ((await readdir(path.join(folder.path, "tmp"))).length === 0) await immediate();
    await killed.kill();
  }
  assert.deepEqual(await readdir(path.join(folder.path, "parcels")), []);

  // What was left lies in tmp/, until it is old enough to be nobody's.
  const litter = await readdir(path.join(folder.path, "tmp"), { recursive: true });
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of litter.toReversed()) await utimes(path.join(folder.path, "tmp", name), longAgo, longAgo);
  await using server = await startServer(folder.path);
  assert.deepEqual(await readdir(path.join(folder.path, "tmp")), []);
  using client = clientOf(server.url);
  const { kind, sent } = await pushBindle(client, bindle, { signal });
  assert.deepEqual([kind, sent.parcels], ["resumed", 1]);
});

test("a server that is killed at any time keeps what it has acknowledged, and nothing else by half", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`f${index}`, `${index} `.repeat(1 + index * 20)]),
  );
  const bindle = bindleOf("killed/1.0.0", files);
  const { bindle: id, parcel = [] } = bindle.invoice;
  for (const acknowledgedAtKill of [0, 1, 50]) {
    await using folder = await temporaryFolder();
    await using killed = await startProcess(folder.path);
    const acknowledged: Label[] = [];
    {
      using client = clientOf(killed.url, { patience: { attempts: 1 } });
      if (acknowledgedAtKill > 0) await client.createInvoice(bindle.invoice, { signal });
      const uploads = parcel.map(async ({ label }) => {
        const content = bindle.contentOf(label.sha256) ?? assert.fail();
        await client.uploadParcel(id, { label, content }, { signal });
        acknowledged.push(label);
        if (acknowledged.length === acknowledgedAtKill) await killed.kill();
      });
      await Promise.all([Promise.allSettled(uploads), ...(acknowledgedAtKill === 0 ? [killed.kill()] : [])]);
    }
    await using server = await startServer(folder.path);
    using client = clientOf(server.url);
    if (acknowledgedAtKill > 0) {
      const missing = new Set((await client.missingParcels(id, { signal })).map(({ sha256 }) => sha256));
      assert.deepEqual(
        acknowledged.filter((label) => missing.has(label.sha256)),
        [],
      );
      assert.ok(missing.size > 0);
    }
    for (const digest of await readdir(path.join(folder.path, "parcels"))) {
      assert.equal(sha256(await readFile(path.join(folder.path, "parcels", digest, "parcel.dat"))), digest);
    }
    await pushBindle(client, bindle, { signal });
    assert.deepEqual(await client.missingParcels(id, { signal }), []);
  }
});

test("a server that is killed while it stores an invoice has all of it, or nothing", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [`file number ${index}`, `${index}`]),
  );
  const { invoice } = bindleOf("large/1.0.0", files);
  const stored = path.join("invoices", digestOfBindleId(parseBindleId("large/1.0.0")), "invoice.toml");
  for (const look of ["tmp", "invoices"]) {
    await using folder = await temporaryFolder();
    await using killed = await startProcess(folder.path);
    using client = clientOf(killed.url, { patience: { attempts: 1 } });
    const created = client.createInvoice(invoice, { signal }).then(
      () => true,
      () => false,
    );
    while ((await readdir(path.join(folder.path, look))).length === 0) await immediate();
    await killed.kill();
    const wasAcknowledged = await created;
    await using server = await startServer(folder.path);
    using after = clientOf(server.url);
    const found = await after.getInvoice(invoice.bindle, { signal }).catch(() => undefined);
    if (wasAcknowledged) assert.ok(found);
    if (found) assert.deepEqual(found, invoice);
    else await assert.rejects(readFile(path.join(folder.path, stored)), { code: "ENOENT" });
  }
});
