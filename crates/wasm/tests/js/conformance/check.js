// What the cases share; they run in Node and in browsers, so nothing of either is used.

/** Throws if two values are not alike. */
export function same(actual, expected, about = '') {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  if (is !== should) throw new Error(`${about}\n  is     ${is}\n  should ${should}`);
}

/** Throws if a function does not throw an error of a type, with words in its message. */
export function throws(fn, type, ...words) {
  try {
    fn();
  } catch (error) {
    const fits = error instanceof type && words.every((word) => error.message.includes(word));
    if (!fits) throw new Error(`threw ${error}, not a ${type.name} of ${words}`, { cause: error });
    return error;
  }
  throw new Error(`threw nothing, not a ${type.name} of ${words}`);
}

/** The same number for the same n, below `bound`, and without a pattern. */
export function scatter(n, bound) {
  let x = (n + 1) * 0x9e3779b1;
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return Math.floor((((x ^ (x >>> 16)) >>> 0) / 2 ** 32) * bound);
}

export const numbers = (count) => Array.from({ length: count }, (_, n) => n);

/** A scheduler whose time is set in ns, and starts at 0. */
export function manual(WasmScheduler, config) {
  const scheduler = new WasmScheduler(config);
  scheduler.tickAt(0);
  return {
    scheduler,
    tickAt: (ns) => scheduler.tickAt(ns / 1e6),
    nextNs: () => {
      const ms = scheduler.nextReleaseMs();
      return ms === undefined ? undefined : Math.round(ms * 1e6);
    },
    /** Ticks until nothing is due any more. */
    drainAt: (ns) => {
      while (scheduler.tickAt(ns / 1e6) > 0);
    },
  };
}
