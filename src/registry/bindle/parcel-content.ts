// The bytes of a parcel that is to be sent or stored: in a file, or in memory.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

import type { Label } from "./invoice.ts";
import { checked, ParcelCheck, ParcelMismatch } from "./parcel-check.ts";
import type { RequestBody } from "./transport.ts";

export type ParcelContent =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** Files up to this size are read at once, which is much quicker than a stream of them. */
const SMALL_BYTES = 256 * 1024;

/** The content as the body of a request. If it is not what the label says, sending it fails. */
export function bodyOf(content: ParcelContent, label: Label): RequestBody {
  return { size: label.size, open: () => checked(chunksOf(content, label), label) };
}

/**
 * Reads a file, and holds it against a label.
 *
 * @throws ParcelMismatch that names the parcel
 */
export async function checkFile(file: string, label: Label): Promise<void> {
  const check = new ParcelCheck(label);
  try {
    for await (const chunk of chunksOf({ kind: "file", path: file }, label)) check.update(chunk);
    check.finish();
  } catch (error) {
    if (!(error instanceof ParcelMismatch)) throw error;
    throw new ParcelMismatch(error.kind, `"${label.name}" ${error.message}`);
  }
}

/** The content in pieces. */
export async function* chunksOf(content: ParcelContent, { size }: Label): AsyncGenerator<Uint8Array> {
  if (content.kind === "bytes") yield content.bytes;
  else if (size > SMALL_BYTES) yield* createReadStream(content.path, { highWaterMark: SMALL_BYTES });
  else yield await readSmall(content.path, size);
}

/** One byte more than expected is asked for: a file that has grown is noticed. */
async function readSmall(path: string, size: number): Promise<Uint8Array> {
  await using file = await open(path);
  const buffer = Buffer.allocUnsafe(size + 1);
  // A file gives all it has, up to what is asked for.
  const { bytesRead } = await file.read(buffer);
  return buffer.subarray(0, bytesRead);
}
