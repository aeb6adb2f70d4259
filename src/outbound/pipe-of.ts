// A body in whatever form, as a pipe.

import { BytePipe } from "../bytes/mod.ts";

const NOTHING = new Uint8Array(0);

export function pipeOf(body: Uint8Array | AsyncIterable<Uint8Array> | undefined): BytePipe {
  if (body instanceof BytePipe) return body;
  if (body === undefined || body instanceof Uint8Array) return BytePipe.of(body ?? NOTHING);
  const pipe = new BytePipe();
  void pour(body, pipe);
  return pipe;
}

/** Takes no more from the source than the pipe has room for. What the source throws fails the pipe. */
async function pour(source: AsyncIterable<Uint8Array>, pipe: BytePipe): Promise<void> {
  try {
    for await (const bytes of source) {
      if (pipe.room === 0) await room(pipe);
      if (pipe.isCancelled) return;
      pipe.write(bytes);
    }
    pipe.end();
  } catch (error) {
    pipe.fail(error instanceof Error ? error : new Error(String(error)));
  }
}

async function room(pipe: BytePipe): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = pipe.onRoom(resolve);
  await promise;
  leave();
}
