// Measures what it costs to copy a large body through a guest, against `node:http` that pipes it.
//
//     npm run bench:streaming -- [--rounds 5] [--mib 100]
//
// Each server is a process of its own and all run all the time; the client is this process. In each round
// every one of them copies the body once. Resident memory is looked at all the while: `growth` is the most
// there was in any round, over what there was before the first.

import { request } from "node:http";
import { join } from "node:path";
import { setInterval } from "node:timers";
import { parseArgs } from "node:util";
import { Server } from "./server.ts";
import { median } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, "x");
const LOOK_MS = 20;

interface Case {
  readonly name: string;
  readonly server: Server;
  /** How the guest copies is in the path, see guests/c/wasi-http.c. */
  readonly path: string;
  readonly residentMiB: number;
  readonly rounds: Round[];
}

interface Round {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly residentMiBMax: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "5" }, mib: { type: "string", default: "100" } },
  });
  const bytes = Number(values.mib) * MIB;
  await using servers = new AsyncDisposableStack();
  const start = async (name: string, args: readonly string[], path: string): Promise<Case> => {
    const server = servers.use(await Server.start([process.execPath, ...args]));
    // A moment of the same, for the compilers of V8 and all that is made on first use.
    await copy(server.port, path, MIB);
    return { name, server, path, residentMiB: server.usage().residentMiB, rounds: [] };
  };
  const up = [join(ROOT, "bin/spindle.mjs"), "up", "--from", join(ROOT, "bench/apps/streaming.toml")];
  const flags = ["--listen", "127.0.0.1:PORT", "--quiet", "--log-dir", ""];
  const cases = [
    await start("bare pipe", [join(ROOT, "bench/bare-pipe.ts"), "PORT"], "/"),
    await start("guest, splice", [...up, ...flags], "/echo"),
    await start("guest, read and write", [...up, ...flags], "/late-echo"),
  ];
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`Round ${round} of ${values.rounds}\n`);
    for (const { server, path, rounds } of cases) rounds.push(await measure(server, path, bytes));
  }
  print(cases);
}

async function measure(server: Server, path: string, bytes: number): Promise<Round> {
  const before = server.usage();
  const startMs = performance.now();
  let residentMiBMax = before.residentMiB;
  const look = setInterval(() => {
    residentMiBMax = Math.max(residentMiBMax, server.usage().residentMiB);
  }, LOOK_MS);
  try {
    await copy(server.port, path, bytes);
  } finally {
    clearInterval(look);
  }
  const after = server.usage();
  return { cpuMs: after.cpuMs - before.cpuMs, wallMs: performance.now() - startMs, residentMiBMax };
}

/** Sends so many bytes, no faster than they are taken, and waits until as many have come back. */
async function copy(port: number, path: string, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sending = request({ host: "127.0.0.1", port, path, method: "POST", agent: false });
  sending.on("error", reject);
  sending.on("response", (response) => {
    let received = 0;
    response.on("data", (piece: Buffer) => {
      received += piece.length;
    });
    response.on("error", reject);
    response.on("end", () => {
      if (response.statusCode === 200 && received === bytes) resolve();
      else reject(new Error(`${path} answered ${response.statusCode} with ${received} of ${bytes} bytes`));
    });
  });
  let left = bytes;
  const send = () => {
    while (left > 0) {
      const piece = PIECE.subarray(0, left);
      left -= piece.length;
      if (!sending.write(piece)) return;
    }
    sending.end();
  };
  sending.on("drain", send);
  send();
  await promise;
}

function print(cases: readonly Case[]): void {
  const bare = cases[0]?.rounds ?? [];
  console.log(`${"case".padEnd(24)} CPU ms  wall ms  bare / CPU  RSS MiB before  growth`);
  for (const { name, residentMiB, rounds } of cases) {
    const ratio = median(rounds.map(({ cpuMs }, index) => (bare[index]?.cpuMs ?? Number.NaN) / cpuMs));
    const growth = Math.max(...rounds.map(({ residentMiBMax }) => residentMiBMax)) - residentMiB;
    const cells = [
      median(rounds.map(({ cpuMs }) => cpuMs))
        .toFixed(0)
        .padStart(6),
      median(rounds.map(({ wallMs }) => wallMs))
        .toFixed(0)
        .padStart(7),
      ratio.toFixed(2).padStart(10),
      residentMiB.toFixed(0).padStart(14),
      growth.toFixed(0).padStart(6),
    ];
    console.log(`${name.padEnd(24)} ${cells.join("  ")}`);
  }
}

await main();
