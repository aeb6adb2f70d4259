// Prints samples as a table, and makes one of many.

export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerRequest: number;
  /** CPU time of bare `node:http` in the same round, divided by ours. */
  readonly ratioToBare: number;
  readonly residentMiB: number;
}

export interface Row extends Sample {
  readonly name: string;
  readonly firstAnswerMs: number;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function medianOf(samples: readonly Sample[]): Sample {
  return {
    requestsPerSecond: median(samples.map((sample) => sample.requestsPerSecond)),
    p50Ms: median(samples.map((sample) => sample.p50Ms)),
    p99Ms: median(samples.map((sample) => sample.p99Ms)),
    cpuUsPerRequest: median(samples.map((sample) => sample.cpuUsPerRequest)),
    ratioToBare: median(samples.map((sample) => sample.ratioToBare)),
    residentMiB: median(samples.map((sample) => sample.residentMiB)),
  };
}

const COLUMNS: readonly (readonly [heading: string, cell: (row: Row) => string])[] = [
  ["case", (row) => row.name],
  ["requests/s", (row) => row.requestsPerSecond.toFixed(0)],
  ["p50 ms", (row) => row.p50Ms.toFixed(2)],
  ["p99 ms", (row) => row.p99Ms.toFixed(2)],
  ["CPU us/request", (row) => row.cpuUsPerRequest.toFixed(1)],
  ["ratio to bare", (row) => row.ratioToBare.toFixed(2)],
  ["RSS MiB", (row) => row.residentMiB.toFixed(0)],
  ["first answer ms", (row) => row.firstAnswerMs.toFixed(0)],
];

export function formatTable(rows: readonly Row[]): string {
  const columns = COLUMNS.map(([heading, cell]) => {
    const cells = [heading, ...rows.map(cell)];
    const width = Math.max(...cells.map(({ length }) => length));
    return cells.map((text) => (heading === "case" ? text.padEnd(width) : text.padStart(width)));
  });
  return [-1, ...rows.keys()].map((row) => columns.map((cells) => cells[row + 1]).join("  ")).join("\n");
}
