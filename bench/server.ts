// A server under test: started in a process of its own, waited for, and ended.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf, type Usage, usageOf } from "./process-usage.ts";

/** Long enough for a cold start of a large guest on a busy machine. */
const START_MS_MAX = 60_000;
const POLL_MS = 2;

export class Server implements AsyncDisposable {
  readonly port: number;
  /** From the start of the process to the end of its first answer. */
  readonly firstAnswerMs: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number, firstAnswerMs: number) {
    this.#process = process;
    this.port = port;
    this.firstAnswerMs = firstAnswerMs;
  }

  /** Starts a program on a free port, which replaces PORT in its arguments, and waits until it answers. */
  static async start(command: readonly string[]): Promise<Server> {
    const port = await freePort();
    const [program = "", ...args] = command.map((part) => part.replaceAll("PORT", String(port)));
    const startMs = performance.now();
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    while (!(await answers(port))) {
      if (child.exitCode !== null)
        throw new Error(`${command.join(" ")} ended with exit code ${child.exitCode}`);
      if (performance.now() - startMs > START_MS_MAX) {
        child.kill("SIGKILL");
        throw new Error(`${command.join(" ")} does not answer`);
      }
      await sleep(POLL_MS);
    }
    return new Server(child, port, performance.now() - startMs);
  }

  usage(): Usage {
    return usageOf(this.#pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    // Some servers leave their children behind when they are told to end.
    for (const pid of familyOf(this.#pid)) terminate(pid);
    await exited;
  }

  get #pid(): number {
    // A process that was spawned without error has an id.
    return this.#process.pid as number;
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended since it was listed.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port");
  return address.port;
}

/** Whether the server answers a request; one that does not listen yet refuses at once. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await once(socket, "data");
    return true;
  } catch {
    // Refused: not yet.
    return false;
  } finally {
    socket.destroy();
  }
}
