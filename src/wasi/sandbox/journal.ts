// Clock readings and random bytes that a call was given, so that a replay is given them again.
//
// A call that shifts is run a second time from its start. It must not notice: it gets the readings
// that it had, in their order, before fresh ones. Nothing is kept once no replay can come any more.

import type { Clock, RandomSource } from "./sources.ts";

/** Readings of one clock. Whoever reads more often in first gear computes for long, and may shift. */
const READINGS_MAX = 1024;

/** Random bytes. Enough for keys and hash seeds; whoever wants more may shift. */
const RANDOM_BYTES_MAX = 16 * 1024;

/** To be called when the journal is full. It throws if a replay can still come, else it returns. */
export type Shift = () => void;

export class Journal {
  readonly #random: RandomSource;
  readonly #realtime: ClockJournal;
  readonly #monotonic: ClockJournal;
  #recorded: Uint8Array | undefined;
  #recordedBytes = 0;
  #replayedBytes = 0;
  #isRecording = true;

  constructor(clock: Clock, random: RandomSource) {
    this.#random = random;
    this.#realtime = new ClockJournal(() => clock.realtimeNs());
    this.#monotonic = new ClockJournal(() => clock.monotonicNs());
  }

  realtimeNs(shift: Shift): bigint {
    return this.#realtime.read(shift);
  }

  monotonicNs(shift: Shift): bigint {
    return this.#monotonic.read(shift);
  }

  fill(target: Uint8Array, shift: Shift): void {
    const replayed = Math.min(target.length, this.#recordedBytes - this.#replayedBytes);
    if (this.#recorded && replayed > 0) {
      target.set(this.#recorded.subarray(this.#replayedBytes, this.#replayedBytes + replayed));
      this.#replayedBytes += replayed;
    }
    const fresh = target.subarray(replayed);
    if (fresh.length === 0) return;
    if (this.#isRecording && this.#recordedBytes + fresh.length > RANDOM_BYTES_MAX) {
      shift();
      this.stopRecording();
    }
    this.#random.fill(fresh);
    if (this.#isRecording) this.#record(fresh);
  }

  #record(bytes: Uint8Array): void {
    const needed = this.#recordedBytes + bytes.length;
    if (!this.#recorded || this.#recorded.length < needed) {
      // What is behind the recorded bytes is never read.
      const grown = Buffer.allocUnsafe(Math.min(RANDOM_BYTES_MAX, Math.max(64, needed * 4)));
      if (this.#recorded) grown.set(this.#recorded.subarray(0, this.#recordedBytes));
      this.#recorded = grown;
    }
    this.#recorded.set(bytes, this.#recordedBytes);
    this.#recordedBytes = needed;
    this.#replayedBytes = needed;
  }

  /** The call begins anew; there will be no other replay. */
  rewind(): void {
    this.stopRecording();
    this.#replayedBytes = 0;
    this.#realtime.rewind();
    this.#monotonic.rewind();
  }

  stopRecording(): void {
    this.#isRecording = false;
    this.#realtime.stopRecording();
    this.#monotonic.stopRecording();
  }
}

class ClockJournal {
  readonly #now: () => bigint;
  readonly #readings: bigint[] = [];
  #replayed = 0;
  #isRecording = true;

  constructor(now: () => bigint) {
    this.#now = now;
  }

  read(shift: Shift): bigint {
    const replayed = this.#readings[this.#replayed];
    if (replayed !== undefined) {
      this.#replayed++;
      return replayed;
    }
    if (!this.#isRecording) return this.#now();
    if (this.#readings.length === READINGS_MAX) {
      shift();
      this.#isRecording = false;
      return this.#now();
    }
    const fresh = this.#now();
    this.#readings.push(fresh);
    this.#replayed = this.#readings.length;
    return fresh;
  }

  rewind(): void {
    this.#replayed = 0;
  }

  stopRecording(): void {
    this.#isRecording = false;
  }
}
