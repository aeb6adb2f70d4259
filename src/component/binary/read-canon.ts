// Reads canonical definitions: functions lifted and lowered, and built-ins.

import type { CanonDefinition, CanonOptions } from "./component.ts";
import { type Cursor, hex } from "./cursor.ts";
import { readResult } from "./read-type.ts";

/** An immediate of a built-in that is read to come to the next definition. */
type Immediate = "index" | "options" | "flag" | "result" | "core value type";

/** Built-ins of asynchronous code and of threads, by their code. */
const UNSUPPORTED: ReadonlyMap<number, readonly [name: string, ...immediates: Immediate[]]> = new Map([
  [0x05, ["task.cancel"]],
  [0x06, ["subtask.cancel", "flag"]],
  [0x07, ["resource.drop async", "index"]],
  [0x08, ["backpressure.set"]],
  [0x09, ["task.return", "result", "options"]],
  [0x0a, ["context.get", "core value type", "index"]],
  [0x0b, ["context.set", "core value type", "index"]],
  [0x0c, ["thread.yield", "flag"]],
  [0x0d, ["subtask.drop"]],
  [0x0e, ["stream.new", "index"]],
  [0x0f, ["stream.read", "index", "options"]],
  [0x10, ["stream.write", "index", "options"]],
  [0x11, ["stream.cancel-read", "index", "flag"]],
  [0x12, ["stream.cancel-write", "index", "flag"]],
  [0x13, ["stream.drop-readable", "index"]],
  [0x14, ["stream.drop-writable", "index"]],
  [0x15, ["future.new", "index"]],
  [0x16, ["future.read", "index", "options"]],
  [0x17, ["future.write", "index", "options"]],
  [0x18, ["future.cancel-read", "index", "flag"]],
  [0x19, ["future.cancel-write", "index", "flag"]],
  [0x1a, ["future.drop-readable", "index"]],
  [0x1b, ["future.drop-writable", "index"]],
  [0x1c, ["error-context.new", "options"]],
  [0x1d, ["error-context.debug-message", "options"]],
  [0x1e, ["error-context.drop"]],
  [0x1f, ["waitable-set.new"]],
  [0x20, ["waitable-set.wait", "flag", "index"]],
  [0x21, ["waitable-set.poll", "flag", "index"]],
  [0x22, ["waitable-set.drop"]],
  [0x23, ["waitable.join"]],
  [0x24, ["backpressure.inc"]],
  [0x25, ["backpressure.dec"]],
  [0x26, ["thread.index"]],
  [0x27, ["thread.new-indirect", "index", "index"]],
  [0x28, ["thread.resume-later"]],
  [0x29, ["thread.suspend", "flag"]],
  [0x2a, ["thread.suspend-then-resume", "flag"]],
  [0x2b, ["thread.yield-then-resume", "flag"]],
  [0x2c, ["thread.suspend-then-promote", "flag"]],
  [0x2d, ["thread.yield-then-promote", "flag"]],
  [0x40, ["thread.spawn-ref", "flag", "index"]],
  [0x41, ["thread.spawn-indirect", "flag", "index", "index"]],
  [0x42, ["thread.available-parallelism", "flag"]],
]);

export function readCanon(cursor: Cursor): CanonDefinition {
  const start = cursor.offset;
  const code = cursor.u8();
  switch (code) {
    case 0x00:
      cursor.expect(0x00, "the sort of what is lifted");
      return readLift(cursor);
    case 0x01:
      cursor.expect(0x00, "the sort of what is lowered");
      return { kind: "lower", function: cursor.u32(), options: readOptions(cursor) };
    case 0x02:
      return { kind: "resource-new", resource: cursor.u32() };
    case 0x03:
      return { kind: "resource-drop", resource: cursor.u32() };
    case 0x04:
      return { kind: "resource-rep", resource: cursor.u32() };
    default: {
      const [name, ...immediates] =
        UNSUPPORTED.get(code) ?? cursor.fail(`${hex(code)} is not a canon`, start);
      for (const immediate of immediates) skipImmediate(cursor, immediate);
      return { kind: "unsupported canon", name };
    }
  }
}

function readLift(cursor: Cursor): CanonDefinition {
  const coreFunction = cursor.u32();
  const options = readOptions(cursor);
  return { kind: "lift", coreFunction, options, type: cursor.u32() };
}

function skipImmediate(cursor: Cursor, immediate: Immediate): void {
  switch (immediate) {
    case "index":
      cursor.u32();
      break;
    case "options":
      readOptions(cursor);
      break;
    case "flag":
      cursor.flag("a flag of a canon");
      break;
    case "result":
      readResult(cursor);
      break;
    case "core value type":
      cursor.u8();
      break;
  }
}

type OptionsSoFar = { -readonly [key in keyof CanonOptions]?: CanonOptions[key] };

function readOptions(cursor: Cursor): CanonOptions {
  const options: OptionsSoFar = {};
  const unsupported: string[] = [];
  cursor.list("options", () => readOption(cursor, options, unsupported));
  return { stringEncoding: "utf8", ...options, unsupported };
}

function readOption(cursor: Cursor, options: OptionsSoFar, unsupported: string[]): void {
  const start = cursor.offset;
  const code = cursor.u8();
  const set = <K extends keyof CanonOptions>(key: K, value: CanonOptions[K]): void => {
    if (options[key] !== undefined) cursor.fail(`the option "${key}" is given twice`, start);
    options[key] = value;
  };
  switch (code) {
    case 0x00:
      set("stringEncoding", "utf8");
      break;
    case 0x01:
      set("stringEncoding", "utf16");
      break;
    case 0x02:
      set("stringEncoding", "latin1+utf16");
      break;
    case 0x03:
      set("memory", cursor.u32());
      break;
    case 0x04:
      set("realloc", cursor.u32());
      break;
    case 0x05:
      set("postReturn", cursor.u32());
      break;
    case 0x06:
      unsupported.push("async");
      break;
    case 0x07:
      set("callback", cursor.u32());
      break;
    case 0x08:
      cursor.u32();
      unsupported.push("core-type");
      break;
    case 0x09:
      unsupported.push("gc");
      break;
    default:
      cursor.fail(`${hex(code)} is not an option of a canon`, start);
  }
}
