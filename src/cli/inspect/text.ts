// The result of an inspection as text for people: one block for each component.

import { formatDiagnostic } from "../../errors/mod.ts";
import type { InspectedComponent } from "../../host/mod.ts";
import type { ApplicationPlace } from "../../loader/mod.ts";
import { type Application, DEFAULT_COMPONENT_LIMITS } from "../../manifest/mod.ts";
import type { InspectedFunction, InspectedImport, Inspection, Provider } from "../../runtime/mod.ts";
import { chosenHandler, describeHandler } from "./handler.ts";

const PAGE_BYTES = 65_536;
/** Types can be longer than anybody reads; `--json` has them whole. */
const LINE_UNITS_MAX = 120;

const KINDS: Readonly<Record<Inspection["kind"], string>> = {
  component: "component",
  "typed-module": "core module that is run as a component",
  module: "core module",
};

type Row = readonly [label: string, value: string];

export function inspectionText({
  application: { metadata },
  components,
  kind,
}: {
  readonly application: Application;
  readonly components: readonly InspectedComponent[];
  /** What comes without a manifest is granted nothing, so nothing is said of that. */
  readonly kind: ApplicationPlace["kind"];
}): string {
  const head = kind === "module" ? [] : [`${[metadata.name, metadata.version].join(" ").trim()}\n`];
  const blocks = components.map((inspected) => {
    const { component } = inspected;
    const title = kind === "module" ? component.source.described : component.id;
    const more = kind === "module" ? [] : [...routeRows(inspected), ...permissionRows(inspected)];
    return [
      `${title}\n`,
      ...aligned([...binaryRows(inspected, kind), ...more]),
      ...importLines(inspected.binary),
      ...exportLines(inspected.binary),
      ...findings(inspected),
    ].join("");
  });
  return [...head, ...blocks].join("\n");
}

function aligned(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}\n`);
}

// What it is.

function binaryRows(inspected: InspectedComponent, kind: ApplicationPlace["kind"]): Row[] {
  const { component, binary, spinAbi } = inspected;
  const handler = chosenHandler(inspected);
  const missing = handler?.isAvailable ? "" : ", which this version cannot run";
  return [
    ...(kind === "module" ? [] : [["source", component.source.described] as const]),
    ["kind", `${KINDS[binary.kind]}, ${size(binary.bytes)}`],
    ...(binary.producers.length > 0 ? [["made with", producers(binary)] as const] : []),
    [
      "runs as",
      handler ? `${describeHandler(handler, spinAbi)}${missing}` : "nothing: it exports no handler",
    ],
    ...(binary.modules.length === 0
      ? []
      : ([
          ["slots", slots(binary)],
          ["code", code(binary)],
          ["memory", memory(inspected)],
        ] as const)),
  ];
}

function producers({ producers: all }: Inspection): string {
  // Compilers tell their commit too.
  return all.map(({ name, version }) => `${name} ${version.replace(/ \(.*\)$/, "")}`.trim()).join(", ");
}

function slots({ freshReasons }: Inspection): string {
  if (freshReasons.length === 0) return "recyclable: put back to the first state after each request";
  return `a new instance for each request: ${freshReasons.join("; ")}`;
}

function code({ modules }: Inspection): string {
  const bytes = sum(modules.map((module) => module.bytes));
  const rewritten = sum(modules.map(({ rewrittenBytes }) => rewrittenBytes));
  const growth = Math.round((100 * (rewritten - bytes)) / Math.max(1, bytes));
  const count = modules.length === 1 ? "" : `${modules.length} modules, `;
  return `${count}${size(bytes)}, ${size(rewritten)} as it runs (${growth < 0 ? "" : "+"}${growth} %)`;
}

function memory({ binary, limits }: InspectedComponent): string {
  const memories = binary.modules.flatMap((module) => module.memories);
  const told = memories.map(({ min, max = 65_536 }) => {
    const bytesMax = Math.min(max * PAGE_BYTES, limits.memoryBytesMax);
    return `${size(min * PAGE_BYTES)} to ${size(bytesMax)}`;
  });
  return told.length === 0 ? "none" : told.join(", ");
}

// What it may do.

function routeRows({ triggers }: InspectedComponent): Row[] {
  return triggers.map(({ type, options }): Row => {
    const { route } = options;
    if (type !== "http") return ["trigger", type];
    return ["route", typeof route === "string" ? route : "private"];
  });
}

function permissionRows({ component, limits }: InspectedComponent): Row[] {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [
      "files",
      component.mounts.map(({ guestPath, access, kind }) => `${guestPath} (${describeMount(access, kind)})`),
    ],
    ["hosts", component.allowedOutboundHosts],
    ["environment", Object.keys(component.environment)],
    ["variables", Object.keys(component.variables)],
    ["stores", component.keyValueStores],
    ["databases", component.sqliteDatabases],
    ["AI models", component.aiModels],
    [
      "depends on",
      Object.entries(component.dependencies).map(([name, { source, inherits }]) => {
        const shared = inherits.length > 0 ? `, shares ${inherits.join(", ")}` : "";
        return `${name} (${source.described}${shared})`;
      }),
    ],
    ["limits", describeLimits(limits)],
  ];
  return rows.filter(([, values]) => values.length > 0).map(([label, values]) => [label, values.join(", ")]);
}

function describeMount(access: "read" | "write", kind: "snapshot" | "live"): string {
  if (access === "write") return "to read and write";
  return kind === "live" ? "to read, live" : "to read";
}

/** Those that are not as by default. */
function describeLimits(limits: InspectedComponent["limits"]): string[] {
  const told: Readonly<Record<keyof typeof limits, (value: number) => string>> = {
    wallTimeMs: (value) => `${value / 1000} s for a call`,
    afterReplyTimeMs: (value) => `${value / 1000} s after its answer`,
    cpuTimeMs: (value) => `${value / 1000} s computing`,
    memoryBytesMax: (value) => `${size(value)} memory`,
    tableElementsMax: (value) => `${counted(value, "element")} of a table`,
    openFilesMax: (value) => counted(value, "open file"),
    outboundRequestsMax: (value) => counted(value, "outbound request"),
    outboundBytesMax: (value) => `${size(value)} outbound`,
    logBytesMax: (value) => `${size(value)} printed`,
    responseBytesMax: (value) => `${size(value)} answer`,
    weight: (value) => `weight ${value}`,
  };
  // The keys of `told` are those of the limits.
  const keys = Object.keys(told) as (keyof typeof limits)[];
  return keys.flatMap((key) => {
    const value = limits[key];
    return value === undefined || value === DEFAULT_COMPONENT_LIMITS[key] ? [] : told[key](value);
  });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// What it imports and exports.

function importLines({ imports }: Inspection): string[] {
  if (imports.length === 0) return ["\n  imports nothing\n"];
  return ["\n  imports\n", ...imports.flatMap((item) => block(item, noteOf(item)))];
}

function exportLines({ exports }: Inspection): string[] {
  if (exports.length === 0) return ["\n  exports nothing\n"];
  return [
    "\n  exports\n",
    ...exports.flatMap((item) => [...block(item, ""), ...item.others.map((other) => `    ${other}\n`)]),
  ];
}

function block({ name, functions }: Pick<InspectedImport, "name" | "functions">, note: string): string[] {
  const indent = name === "" ? "    " : "      ";
  const lines = functions.map((each) => line(indent, each));
  return name === "" ? lines : [`    ${name}${note}\n`, ...lines];
}

function line(indent: string, { name, type }: InspectedFunction): string {
  const text = `${indent}${name}: ${type}`;
  return `${text.length > LINE_UNITS_MAX ? `${text.slice(0, LINE_UNITS_MAX - 1)}…` : text}\n`;
}

function noteOf({ provider }: { readonly provider: Provider }): string {
  switch (provider.kind) {
    case "host":
      return provider.as === undefined ? "" : `, given as ${provider.as.replace(/^.*@/, "")}`;
    case "dependency":
      return `, given by dependency "${provider.dependency}"`;
    case "trap":
      return ": not in this version, to call it is a trap";
    case "none":
      return ", types only";
    case "missing":
      return `: given by NOBODY${provider.nearest === undefined ? "" : `; the nearest is ${provider.nearest}`}`;
  }
}

/** What a component itself lacks is noted at its imports; of its dependencies only the warnings tell. */
function findings({ component, problems, warnings }: InspectedComponent): string[] {
  const told = Object.keys(component.dependencies).length > 0 ? [...warnings, ...problems] : problems;
  return told.length === 0 ? [] : ["\n", ...told.map((finding) => `${formatDiagnostic(finding)}\n`)];
}

// Numbers.

const UNITS = ["bytes", "KiB", "MiB", "GiB"] as const;

/** `11.6 MiB`: to be read, not to be computed with. */
function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
