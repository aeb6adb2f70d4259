// Tells whether a series of measurements trends upward, noise aside.

/** Measurements at the start that do not count: caches fill, code is compiled. */
const WARM_UP_SHARE = 1 / 3;
/** Share of all pairs that must rise, above those that fall, before it is called a trend. */
const RISING_MIN = 0.5;

export interface Tolerance {
  /** A rise up to this is none, absolute and as a share of where it began. */
  readonly absolute: number;
  readonly share: number;
}

/** How much the series has risen from its first to its last third, if it trends upward; else 0. */
export function rise(series: readonly number[], tolerance: Tolerance): number {
  const counted = series.slice(Math.floor(series.length * WARM_UP_SHARE));
  const third = Math.max(1, Math.floor(counted.length / 3));
  const [begin, end] = [median(counted.slice(0, third)), median(counted.slice(-third))];
  const risen = end - begin;
  const isLarge = risen > tolerance.absolute && risen > begin * tolerance.share;
  return isLarge && concordance(counted) > RISING_MIN ? risen : 0;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** Kendall's tau with time: 1 where every measurement is above all before it, -1 where below. */
function concordance(series: readonly number[]): number {
  let sum = 0;
  let pairs = 0;
  for (const [index, later] of series.entries()) {
    for (const earlier of series.slice(0, index)) {
      sum += Math.sign(later - earlier);
      pairs++;
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}
