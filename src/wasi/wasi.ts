// What one call of a guest sees through WASI, of whichever preview: arguments, environment, streams,
// files, time, network. A guest may use two previews in one call; they share what is here.
//
// A template is made for each component at start-up; a Wasi for each call, on the request path, so
// everything in it that a guest may not ask for is made when it first does.

import type { MountedDirectory } from "../mounts/mod.ts";
import { type Descriptor, DescriptorTable } from "./p1/descriptors.ts";
import { DIRECTORY_RIGHTS, INHERITABLE_RIGHTS, INPUT_RIGHTS, OUTPUT_RIGHTS } from "./p1/rights.ts";
import type { OpenDirectory } from "./sandbox/filesystem.ts";
import type { GearedCaller } from "./sandbox/gears.ts";
import { InputBytes } from "./sandbox/input-bytes.ts";
import { Journal } from "./sandbox/journal.ts";
import { type GuestNetwork, NO_NETWORK } from "./sandbox/network.ts";
import { openMount } from "./sandbox/open-mount.ts";
import { OpenThings } from "./sandbox/open-things.ts";
import { OutputBuffer } from "./sandbox/output.ts";
import type { Clock, RandomSource, StdoutSink } from "./sandbox/sources.ts";
import { EncodedStrings } from "./sandbox/strings.ts";

export interface Preopen {
  readonly guestPath: string;
  /** The same as UTF-8. */
  readonly name: Uint8Array;
  readonly directory: OpenDirectory;
}

export interface WasiOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly MountedDirectory[];
  /** Where sockets may lead to; nowhere by default. */
  readonly network?: GuestNetwork;
  readonly limits?: Partial<WasiLimits>;
}

export interface WasiLimits {
  /** Files and directories that a call has open at once, besides those that it begins with. */
  readonly openFilesMax: number;
  /** Bytes that a call prints to sinks that show them at once; the rest is left out. */
  readonly logBytesMax: number;
}

const LIMITS_DEFAULT: WasiLimits = { openFilesMax: 1024, logBytesMax: Number.POSITIVE_INFINITY };

/** What is the same for all calls of a component. */
export class WasiTemplate {
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly encodedEnvironment: EncodedStrings;
  /** In the order of their guest paths. */
  readonly preopens: readonly Preopen[];
  readonly network: GuestNetwork;
  readonly limits: WasiLimits;

  private constructor(options: WasiOptions) {
    this.environment = Object.entries(options.environment);
    this.encodedEnvironment = EncodedStrings.ofEntries(this.environment);
    this.preopens = options.mounts
      .toSorted((a, b) => (a.guestPath < b.guestPath ? -1 : 1))
      .map((mount) => ({
        guestPath: mount.guestPath,
        name: Buffer.from(mount.guestPath),
        directory: openMount(mount),
      }));
    this.network = options.network ?? NO_NETWORK;
    this.limits = { ...LIMITS_DEFAULT, ...options.limits };
  }

  static create(options: WasiOptions): WasiTemplate {
    return new WasiTemplate(options);
  }
}

export interface WasiCall {
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

/** At once in one call, look-ups of names included. Each is a descriptor of the host. */
const OPEN_SOCKETS_MAX = 64;

const NOTHING = new Uint8Array(0);

/** Printed behind what there was room for. */
const CUT_NOTE = Buffer.from("\n[spindle: this call prints more than it may; the rest is left out]\n");

export class Wasi implements Disposable {
  readonly template: WasiTemplate;
  readonly #call: WasiCall;
  #isSecondGear = false;
  #descriptors: DescriptorTable | undefined;
  #args: EncodedStrings | undefined;
  #environment: readonly EncodedStrings[] | undefined;
  #output: OutputBuffer | undefined;
  #journal: Journal | undefined;
  #input: InputBytes | undefined;
  #openFiles: OpenThings | undefined;
  #openSockets: OpenThings | undefined;
  #printedBytes = 0;

  constructor(template: WasiTemplate, call: WasiCall) {
    this.template = template;
    this.#call = call;
  }

  get clock(): Clock {
    return this.#call.clock;
  }

  get stdout(): StdoutSink {
    return this.#call.stdout;
  }

  get stderr(): StdoutSink {
    return this.#call.stderr;
  }

  get args(): readonly string[] {
    return this.#call.args ?? [];
  }

  get encodedArgs(): EncodedStrings {
    this.#args ??= EncodedStrings.of(this.args);
    return this.#args;
  }

  /** The component's entries, then those of the call. */
  get environment(): (readonly [name: string, value: string])[] {
    return [...this.template.environment, ...(this.#call.environment ?? [])];
  }

  /** The same for guests that take C strings. */
  get encodedEnvironment(): readonly EncodedStrings[] {
    this.#environment ??= [
      this.template.encodedEnvironment,
      EncodedStrings.ofEntries(this.#call.environment ?? []),
    ];
    return this.#environment;
  }

  /** What preview 1 calls file descriptors. */
  get descriptors(): DescriptorTable {
    this.#descriptors ??= new DescriptorTable(this.#initialDescriptors(), this.template.limits);
    return this.#descriptors;
  }

  #initialDescriptors(): Descriptor[] {
    const { stdin = NOTHING, stdout, stderr } = this.#call;
    const descriptors: Descriptor[] = [
      { kind: "input", bytes: stdin, position: 0, rights: INPUT_RIGHTS, inheriting: 0, flags: 0 },
      { kind: "output", sink: stdout, rights: OUTPUT_RIGHTS, inheriting: 0, flags: 0 },
      { kind: "output", sink: stderr, rights: OUTPUT_RIGHTS, inheriting: 0, flags: 0 },
    ];
    for (const { name, directory } of this.template.preopens) {
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

  /** Standard input as a stream; all handles to it read on from where the last one has stopped. */
  get input(): InputBytes {
    this.#input ??= new InputBytes(this.#call.stdin ?? NOTHING);
    return this.#input;
  }

  /** Files and directories that preview 2 has opened, and those of which only a stream is left. */
  get openFiles(): OpenThings {
    this.#openFiles ??= new OpenThings(this.template.limits.openFilesMax);
    return this.#openFiles;
  }

  get openSockets(): OpenThings {
    this.#openSockets ??= new OpenThings(OPEN_SOCKETS_MAX);
    return this.#openSockets;
  }

  realtimeNs(caller: GearedCaller): bigint {
    return this.#journalFor(caller).realtimeNs(() => this.shift(caller));
  }

  monotonicNs(caller: GearedCaller): bigint {
    return this.#journalFor(caller).monotonicNs(() => this.shift(caller));
  }

  random(caller: GearedCaller, target: Uint8Array): void {
    this.#journalFor(caller).fill(target, () => this.shift(caller));
  }

  #journalFor(caller: GearedCaller): Journal {
    this.#journal ??= new Journal(this.#call.clock, this.#call.random);
    if (this.#knowsSecondGear(caller)) this.#journal.stopRecording();
    return this.#journal;
  }

  /** Prints what a guest wrote; kept until commit() in first gear, unless the sink itself keeps it. */
  print(caller: GearedCaller, sink: StdoutSink, bytes: Uint8Array): void {
    const shown = sink.held ? bytes : this.#withinLimit(bytes);
    if (shown.length === 0) return;
    if (!sink.held && !this.#knowsSecondGear(caller)) {
      this.#output ??= new OutputBuffer();
      if (this.#output.hasRoomFor(shown.length)) {
        this.#output.add(sink, shown);
        return;
      }
      this.shift(caller);
    }
    sink.write(shown);
  }

  /** What may be printed of the bytes; nothing once the note was that there is more. */
  #withinLimit(bytes: Uint8Array): Uint8Array {
    const room = this.template.limits.logBytesMax - this.#printedBytes;
    this.#printedBytes += bytes.length;
    if (bytes.length <= room) return bytes;
    return room < 0 ? NOTHING : Buffer.concat([bytes.subarray(0, room), CUT_NOTE]);
  }

  /** To be called before a wait, and before an effect outside of the call. Returns in second gear only. */
  shift(caller: GearedCaller): void {
    caller.shift();
    this.#enterSecondGear();
  }

  #knowsSecondGear(caller: GearedCaller): boolean {
    if (!this.#isSecondGear && caller.canSuspend) this.#enterSecondGear();
    return this.#isSecondGear;
  }

  #enterSecondGear(): void {
    this.#isSecondGear = true;
    this.#output?.flush();
  }

  /**
   * The call begins anew in second gear: what is open is as at the start, what was printed is dropped,
   * and readings of clocks and random bytes are given out again, in order, before fresh ones.
   */
  rewind(): void {
    this.#close();
    this.#output?.drop();
    this.#printedBytes = 0;
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
    this.#close();
  }

  #close(): void {
    this.#descriptors?.[Symbol.dispose]();
    this.#descriptors = undefined;
    this.#openFiles?.[Symbol.dispose]();
    this.#openFiles = undefined;
    this.#openSockets?.[Symbol.dispose]();
    this.#openSockets = undefined;
    this.#input = undefined;
  }
}
