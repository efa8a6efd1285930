// Values to pixels, and where ticks stand. Knows nothing of runs.

/** A function from values between `low` and `high` to pixels between `from` and `to`. */
export function scaleOf(kind, [low, high], [from, to]) {
  const way = kind === "log" ? Math.log : (value) => value;
  const start = way(low);
  const span = way(high) - start || 1;
  return (value) => from + ((way(value) - start) / span) * (to - from);
}

/** About `count` round values between `low` and `high`. */
export function ticksOf(kind, [low, high], count) {
  if (kind === "log" && high / low > 5) {
    const decades = Math.log10(high / low);
    const of = decades > count / 2 ? [1] : decades > count / 3 ? [1, 3] : [1, 2, 5];
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) {
      for (const digit of of) {
        const tick = digit * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
    return ticks;
  }
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= raw) ?? 10);
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) ticks.push(at * step);
  return ticks;
}

const whole = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** A count of steps, tokens or seconds, short enough for an axis. */
export const short = (value) => (value < 100_000 ? whole : compact).format(value);

/** A loss in bits. */
export const bits = (value) => value.toFixed(2);
