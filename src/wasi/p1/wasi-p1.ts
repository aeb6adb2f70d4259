// What one call of a guest sees through WASI preview 1: arguments, environment, streams, files, time.
//
// A template is made for each component at start-up; a WasiP1 for each call, on the request path, so
// everything in it that a guest may not ask for is made when it first does.

import type { Caller } from "../../engine/mod.ts";
import type { MountedDirectory } from "../../mounts/mod.ts";
import type { OpenDirectory } from "../sandbox/filesystem.ts";
import { Journal } from "../sandbox/journal.ts";
import { openMount } from "../sandbox/open-mount.ts";
import { OutputBuffer } from "../sandbox/output.ts";
import type { Clock, RandomSource, StdoutSink } from "../sandbox/sources.ts";
import { EncodedStrings } from "../sandbox/strings.ts";
import { type Descriptor, DescriptorTable } from "./descriptors.ts";
import { DIRECTORY_RIGHTS, INHERITABLE_RIGHTS, INPUT_RIGHTS, OUTPUT_RIGHTS } from "./rights.ts";

interface Preopen {
  readonly name: Uint8Array;
  readonly directory: OpenDirectory;
}

export interface WasiP1Options {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly MountedDirectory[];
}

/** What is the same for all calls of a component. */
export class WasiP1Template {
  readonly environment: EncodedStrings;
  /** In the order of their guest paths. */
  readonly preopens: readonly Preopen[];

  private constructor(options: WasiP1Options) {
    this.environment = EncodedStrings.ofEntries(Object.entries(options.environment));
    this.preopens = options.mounts
      .toSorted((a, b) => (a.guestPath < b.guestPath ? -1 : 1))
      .map((mount) => ({ name: Buffer.from(mount.guestPath), directory: openMount(mount) }));
  }

  static create(options: WasiP1Options): WasiP1Template {
    return new WasiP1Template(options);
  }
}

export interface WasiP1Call {
  /** Arguments, that of the program's name included; none by default. */
  readonly args?: readonly string[];
  /** Entries behind the component's own, which stay apart even if names repeat. */
  readonly environment?: readonly (readonly [name: string, value: string])[];
  /** Empty by default. */
  readonly stdin?: Uint8Array;
  readonly stdout: StdoutSink;
  readonly stderr: StdoutSink;
  readonly clock: Clock;
  readonly random: RandomSource;
}

const NOTHING = new Uint8Array(0);

export class WasiP1 implements Disposable {
  readonly #template: WasiP1Template;
  readonly #call: WasiP1Call;
  #isSecondGear = false;
  #descriptors: DescriptorTable | undefined;
  #args: EncodedStrings | undefined;
  #environment: readonly EncodedStrings[] | undefined;
  #output: OutputBuffer | undefined;
  #journal: Journal | undefined;

  constructor(template: WasiP1Template, call: WasiP1Call) {
    this.#template = template;
    this.#call = call;
  }

  get clock(): Clock {
    return this.#call.clock;
  }

  get args(): EncodedStrings {
    this.#args ??= EncodedStrings.of(this.#call.args ?? []);
    return this.#args;
  }

  /** The component's entries, then those of the call. */
  get environment(): readonly EncodedStrings[] {
    this.#environment ??= [
      this.#template.environment,
      EncodedStrings.ofEntries(this.#call.environment ?? []),
    ];
    return this.#environment;
  }

  get descriptors(): DescriptorTable {
    this.#descriptors ??= new DescriptorTable(this.#initialDescriptors());
    return this.#descriptors;
  }

  #initialDescriptors(): Descriptor[] {
    const { stdin = NOTHING, stdout, stderr } = this.#call;
    const descriptors: Descriptor[] = [
      { kind: "input", bytes: stdin, position: 0, rights: INPUT_RIGHTS, inheriting: 0, flags: 0 },
      { kind: "output", sink: stdout, rights: OUTPUT_RIGHTS, inheriting: 0, flags: 0 },
      { kind: "output", sink: stderr, rights: OUTPUT_RIGHTS, inheriting: 0, flags: 0 },
    ];
    for (const { name, directory } of this.#template.preopens) {
      descriptors.push({
        kind: "directory",
        directory,
        preopen: name,
        listing: undefined,
        rights: DIRECTORY_RIGHTS,
        inheriting: INHERITABLE_RIGHTS,
        flags: 0,
      });
    }
    return descriptors;
  }

  realtimeNs(caller: Caller<unknown>): bigint {
    return this.#journalFor(caller).realtimeNs(() => this.shift(caller));
  }

  monotonicNs(caller: Caller<unknown>): bigint {
    return this.#journalFor(caller).monotonicNs(() => this.shift(caller));
  }

  random(caller: Caller<unknown>, target: Uint8Array): void {
    this.#journalFor(caller).fill(target, () => this.shift(caller));
  }

  #journalFor(caller: Caller<unknown>): Journal {
    this.#journal ??= new Journal(this.#call.clock, this.#call.random);
    if (this.#knowsSecondGear(caller)) this.#journal.stopRecording();
    return this.#journal;
  }

  /** Prints what a guest wrote; kept until commit() in first gear, unless the sink itself keeps it. */
  print(caller: Caller<unknown>, sink: StdoutSink, bytes: Uint8Array): void {
    if (!sink.held && !this.#knowsSecondGear(caller)) {
      this.#output ??= new OutputBuffer();
      if (this.#output.hasRoomFor(bytes.length)) {
        this.#output.add(sink, bytes);
        return;
      }
      this.shift(caller);
    }
    sink.write(bytes);
  }

  /** To be called before a wait, and before an effect outside of the call. Returns in second gear only. */
  shift(caller: Caller<unknown>): void {
    caller.shift();
    this.#enterSecondGear();
  }

  #knowsSecondGear(caller: Caller<unknown>): boolean {
    if (!this.#isSecondGear && caller.canSuspend) this.#enterSecondGear();
    return this.#isSecondGear;
  }

  #enterSecondGear(): void {
    this.#isSecondGear = true;
    this.#output?.flush();
  }

  /**
   * The call begins anew in second gear: descriptors are as at the start, what was printed is dropped,
   * and readings of clocks and random bytes are given out again, in order, before fresh ones.
   */
  rewind(): void {
    this.#descriptors?.[Symbol.dispose]();
    this.#descriptors = undefined;
    this.#output?.drop();
    for (const sink of [this.#call.stdout, this.#call.stderr]) if (sink.held) sink.reset();
    this.#journal?.rewind();
    this.#isSecondGear = true;
  }

  /** The call has ended: what it printed in first gear may be seen. */
  commit(): void {
    this.#output?.flush();
  }

  /** Closes what the guest left open. */
  [Symbol.dispose](): void {
    this.#descriptors?.[Symbol.dispose]();
    this.#descriptors = undefined;
  }
}
