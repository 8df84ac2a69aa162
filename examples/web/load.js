// The scheduler that is looked at, and the timers that load it.

import { WasmScheduler } from '../../pkg/index.js';

import { Density, Histogram, LANES, Series, Trace } from './record.js';

/** Work that takes its time, which a coarse clock could not tell. */
function work(rounds) {
  let sum = 0;
  for (let n = 0; n < rounds; n++) sum += Math.sqrt(n);
  return sum;
}

/** Rounds of work in a µs, from the best of some tries. */
function calibrate() {
  const rounds = 1_000_000;
  const tries = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work(rounds);
    return performance.now() - start;
  });
  return rounds / (Math.max(0.1, Math.min(...tries)) * 1000);
}

/** A scheduler that remembers how long its ticks took. */
class ObservedScheduler extends WasmScheduler {
  constructor(load) {
    super({
      maxTasksPerTick: 20_000,
      lipschitzConstant: 0.95,
      windows: { lengthNs: 400e6, hopNs: 100e6 },
      windowSize: 10,
    });
    this.load = load;
  }

  tick() {
    return this.load.observe(() => super.tick());
  }

  tickAt(nowMs) {
    return this.load.observe(() => super.tickAt(nowMs));
  }
}

export class Load {
  density = new Density();
  latency = new Histogram();
  tickMs = new Series(300);
  trace = new Trace();
  workUs = 0;
  errors = 0;
  #timers = [];
  #periodMs = 500;
  #roundsPerUs = calibrate();

  constructor() {
    this.scheduler = new ObservedScheduler(this);
  }

  /** The scheduler's time: the clock's, or while that is stopped, the one of the last step. */
  nowMs = () => this.manualMs ?? performance.now();

  observe(tick) {
    const startMs = this.nowMs();
    const start = performance.now();
    const jobs = tick();
    if (jobs > 0) {
      this.tickMs.push(performance.now() - start);
      this.trace.push(LANES.length, startMs, this.nowMs() - startMs, 0);
    }
    return jobs;
  }

  /** Makes it so many timers; periods are spread around their mean, so that they do not stay together. */
  resize(count, periodMs) {
    if (periodMs !== this.#periodMs) {
      this.#timers.forEach((id) => this.scheduler.cancel(id));
      this.#timers = [];
      this.#periodMs = periodMs;
      this.latency.clear();
    }
    this.#timers.splice(count).forEach((id) => this.scheduler.cancel(id));
    while (this.#timers.length < count) this.#timers.push(this.#timer(this.#timers.length));
  }

  #timer(n) {
    const lane = n % LANES.length;
    const periodMs = this.#periodMs * (0.5 + ((n * 0.618_034) % 1));
    const phaseMs = periodMs * ((n * 0.414_214) % 1);
    let dueMs = this.nowMs() + phaseMs;
    const job = () => {
      const nowMs = this.nowMs();
      const lateMs = Math.max(0, nowMs - dueMs);
      dueMs += periodMs * (Math.floor(lateMs / periodMs) + 1); // The policy: missed ticks are skipped.
      this.#ran(lane, nowMs, lateMs);
    };
    return this.scheduler.schedulePeriodic(job, periodMs * 1e6, {
      delayNs: phaseMs * 1e6,
      priority: LANES[lane],
    });
  }

  #ran(lane, nowMs, lateMs) {
    this.density.add(lane, nowMs);
    this.latency.add(lateMs);
    work(this.workUs * this.#roundsPerUs);
    this.trace.push(lane, nowMs, this.nowMs() - nowMs, lateMs);
  }

  /** Stops time, where it is. */
  pause() {
    this.scheduler.stop();
    this.manualMs = performance.now();
    this.scheduler.tickAt(this.manualMs);
  }

  /** Time goes on to the next release; tells how many jobs ran. */
  step() {
    this.manualMs = Math.max(this.manualMs, this.scheduler.nextReleaseMs() ?? this.manualMs);
    return this.scheduler.tickAt(this.manualMs);
  }

  resume(driver) {
    this.manualMs = undefined;
    this.scheduler.start({ driver });
  }

  throwOnce() {
    this.scheduler.schedule(
      () => {
        throw new Error('thrown by a callback, as you asked');
      },
      0,
      { name: 'thrower', priority: 'critical' },
    );
  }
}
