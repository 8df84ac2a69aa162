// What happened lately, in memory of fixed size.

export const LANES = ['critical', 'high', 'normal', 'low'];

/** The last values of a series. */
export class Series {
  #values;
  #count = 0;

  constructor(length) {
    this.#values = new Float64Array(length);
  }

  push(value) {
    this.#values[this.#count++ % this.#values.length] = value;
  }

  /** The oldest first. */
  *[Symbol.iterator]() {
    const { length } = this.#values;
    for (let at = Math.max(0, this.#count - length); at < this.#count; at++) yield this.#values[at % length];
  }
}

/** Jobs per lane and moment. */
export class Density {
  static COLUMNS = 400;
  static COLUMN_MS = 10;

  #counts = LANES.map(() => new Uint32Array(Density.COLUMNS));
  #last = 0;

  add(lane, nowMs) {
    this.moveTo(nowMs);
    this.#counts[lane][this.#last % Density.COLUMNS]++;
  }

  /** Forgets the moments that have left the picture. */
  moveTo(nowMs) {
    const moment = Math.floor(nowMs / Density.COLUMN_MS);
    const from = Math.max(this.#last + 1, moment - Density.COLUMNS + 1);
    for (let at = from; at <= moment; at++) {
      this.#counts.forEach((counts) => (counts[at % Density.COLUMNS] = 0));
    }
    this.#last = Math.max(this.#last, moment);
  }

  /** Jobs of a lane in a column; the newest is the last. */
  at(lane, column) {
    return this.#counts[lane][(this.#last + 1 + column) % Density.COLUMNS];
  }
}

/** Latencies in bins, each of which spans a factor of the square root of two. */
export class Histogram {
  static LEAST_MS = 1 / 1024;
  bins = new Uint32Array(48);
  count = 0;

  add(ms) {
    this.bins[Math.min(Math.floor(Histogram.placeOf(ms)), this.bins.length - 1)]++;
    this.count++;
  }

  /** The place of a latency among the bins, with a fraction. */
  static placeOf(ms) {
    return Math.max(0, Math.log2(ms / Histogram.LEAST_MS) * 2 + 1);
  }

  /** The upper end of the bin that holds a quantile. */
  quantileMs(quantile) {
    let left = quantile * this.count;
    const bin = this.bins.findIndex((count) => (left -= count) <= 0);
    return Histogram.LEAST_MS * 2 ** (Math.max(bin, 0) / 2);
  }

  clear() {
    this.bins.fill(0);
    this.count = 0;
  }
}

/** Jobs and ticks for a trace that chrome://tracing and ui.perfetto.dev open. */
export class Trace {
  static LENGTH = 1 << 16;
  #events = new Float64Array(Trace.LENGTH * 4);
  #count = 0;

  /** A job in a lane, or a tick in the lane after the last; in ms of the scheduler's time. */
  push(lane, startMs, durationMs, latencyMs) {
    const at = (this.#count++ % Trace.LENGTH) * 4;
    this.#events.set([lane, startMs, durationMs, latencyMs], at);
  }

  toJson() {
    const lanes = [...LANES, 'tick'];
    const names = lanes.map((name, tid) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } }));
    const events = [];
    for (let n = Math.max(0, this.#count - Trace.LENGTH); n < this.#count; n++) {
      const at = (n % Trace.LENGTH) * 4;
      const [tid, startMs, durationMs, latency_ms] = this.#events.subarray(at, at + 4);
      const times = { ts: startMs * 1000, dur: durationMs * 1000 };
      events.push({ name: lanes[tid], cat: 'job', ph: 'X', pid: 1, tid, ...times, args: { latency_ms } });
    }
    return JSON.stringify({ displayTimeUnit: 'ns', traceEvents: [...names, ...events] });
  }
}
