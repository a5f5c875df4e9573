/** The value below which this share of them lies (nearest rank); null where there is none. */
export function percentile(values, share) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Null wherever a side was not measured: a ratio is never made up. */
export function ratio(ours, theirs) {
  if (!Number.isFinite(ours) || !Number.isFinite(theirs) || theirs <= 0) return null;
  return rounded(ours / theirs, 3);
}

/** The median of the ratios of each round: what disturbs a round disturbs both sides of it. */
export function ratioOfRounds(ours, theirs) {
  if (ours.length !== theirs.length) throw new Error("a ratio needs both sides of every round");
  const each = ours.map((value, i) => ratio(value, theirs[i]));
  return each.length === 0 || each.includes(null) ? null : rounded(median(each), 3);
}

export function rounded(value, digits = 1) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

export function latencies(values) {
  return {
    samples: values.length,
    p50_ms: rounded(percentile(values, 0.5), 2),
    p99_ms: rounded(percentile(values, 0.99), 2),
    max_ms: rounded(percentile(values, 1), 2),
  };
}
