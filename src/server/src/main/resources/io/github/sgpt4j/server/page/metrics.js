// Reads Prometheus' text format, and takes rates and quantiles from two readings.

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)$/;
const LABEL = /le="([^"]*)"/;

/** What a reading contains: sums over all labels, and buckets of histograms by their upper ends. */
export function parse(text, time) {
  const sums = new Map();
  const buckets = new Map();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) {
      continue;
    }
    const [, name, labels, number] = match;
    const value = Number(number);
    if (name.endsWith('_bucket')) {
      const end = LABEL.exec(labels ?? '')?.[1];
      const list = buckets.get(name) ?? [];
      list.push([end === '+Inf' ? Infinity : Number(end), value]);
      buckets.set(name, list);
    } else {
      sums.set(name, (sums.get(name) ?? 0) + value);
    }
  }
  return {time, sums, buckets};
}

/** How much a counter grew. */
export function growth(before, after, name) {
  return Math.max(0, (after.sums.get(name) ?? 0) - (before.sums.get(name) ?? 0));
}

/** How much a counter grew for each second. */
export function rate(before, after, name) {
  const seconds = (after.time - before.time) / 1000;
  return seconds > 0 ? growth(before, after, name) / seconds : 0;
}

/** The value that a share of the observations between two readings does not exceed; undefined if there were none. */
export function quantile(before, after, name, share) {
  const old = new Map(before.buckets.get(`${name}_bucket`) ?? []);
  const counts = (after.buckets.get(`${name}_bucket`) ?? []).map(([end, count]) => [end, count - (old.get(end) ?? 0)]);
  const total = counts.at(-1)?.[1] ?? 0;
  if (total <= 0) {
    return undefined;
  }
  const wanted = share * total;
  const place = counts.findIndex(([, count]) => count >= wanted);
  const [start, below] = place > 0 ? counts[place - 1] : [0, 0];
  const [end, upTo] = counts[place];
  return end === Infinity ? start : start + (end - start) * (wanted - below) / (upTo - below);
}
