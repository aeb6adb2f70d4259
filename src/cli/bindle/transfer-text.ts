// How far a transfer is, in words.

import type { TransferProgress } from "../../registry/mod.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `0 B`, `1.2 MB`. */
export function sizeText(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit < UNITS.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 parcel, 1.2 MB` */
export function parcelsText({
  parcels,
  bytes,
}: {
  readonly parcels: number;
  readonly bytes: number;
}): string {
  return `${parcels} ${parcels === 1 ? "parcel" : "parcels"}, ${sizeText(bytes)}`;
}

/** Remembers the last progress, for a line that is drawn again and again. */
export class TransferText {
  readonly #action: string;
  readonly #before: string;
  #progress: TransferProgress | undefined;

  /** `action` is as in "Pushing"; `before` is what there is to say until the first parcel has gone. */
  constructor(action: string, before: string = action) {
    this.#action = action;
    this.#before = before;
  }

  readonly update = (progress: TransferProgress): void => {
    this.#progress = progress;
  };

  readonly current = (): string => {
    if (!this.#progress) return this.#before;
    const { parcels, parcelsDone, bytes, bytesDone } = this.#progress;
    return `${this.#action}: ${parcelsDone} of ${parcels} parcels, ${sizeText(bytesDone)} of ${sizeText(bytes)}`;
  };
}
