// WasmScheduler: arguments are checked here, functions are kept here, and errors are made here.

import { NORMAL, checkFunction, checkId, isPlainNs, toMs, toNs, toOptions, toSettings } from './arguments.js';
import { startDriver } from './drivers.js';
import { Host, slotOf } from './host.js';
import { Core } from './nanosecond_scheduler.js';
import { toEstimates, toMetrics, toWindows } from './reports.js';

const ONCE = ['priority', 'deadlineNs', 'name'];
const PERIODIC = [...ONCE, 'delayNs', 'missedTick'];

/** Stands in for the core of a scheduler that can no longer be used. */
const unusable = (message, cause) =>
  new Proxy(
    {},
    {
      get() {
        throw new Error(message, { cause });
      },
    },
  );

export class WasmScheduler {
  #core;
  #host = new Host();
  #capacity;
  #isTicking = false;
  #isFreed = false;
  #onDeadlineMiss = undefined;
  #driver = undefined;

  constructor(config) {
    const settings = toSettings(config);
    let core;
    try {
      core = Core.create(this.#host, settings);
    } catch (cause) {
      throw new Error('the module is not loaded: await init() first', { cause });
    }
    if (core === undefined) {
      throw new RangeError('config.windows: more windows would be open at a time than config.windowSize');
    }
    this.#core = core;
    this.#capacity = settings.capacity;
  }

  tick() {
    const core = this.#enter();
    let executed;
    try {
      executed = core.tick();
    } catch (cause) {
      this.#break(cause);
    }
    return this.#leave(executed);
  }

  tickAt(nowMs) {
    const ms = toMs(nowMs, 'nowMs');
    const core = this.#enter();
    let executed;
    try {
      executed = core.tickAt(ms);
    } catch (cause) {
      this.#break(cause);
    }
    return this.#leave(executed);
  }

  #enter() {
    if (this.#isTicking) throw new Error('a callback ticked the scheduler that called it');
    void this.#core.tick; // Throws if it is of no use any more.
    this.#isTicking = true;
    return this.#core;
  }

  /** Callbacks' errors are caught where they are called: what comes out of the module is its end. */
  #break(cause) {
    this.#isTicking = false;
    this.stop();
    this.#core = unusable('the scheduler broke down in a tick', cause);
    throw cause;
  }

  #leave(executed) {
    this.#isTicking = false;
    if (this.#host.isUnsettled) this.#settle();
    return executed;
  }

  /** Does what could not be done within the tick. */
  #settle() {
    const host = this.#host;
    host.isUnsettled = false;
    for (const miss of host.misses.splice(0)) {
      try {
        this.#onDeadlineMiss?.(miss);
      } catch (error) {
        host.errors.push(error);
      }
    }
    if (this.#isFreed) this.#release();
    const errors = host.errors.splice(0);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} callbacks threw`);
  }

  schedule(fn, delayNs, options) {
    checkFunction(fn, 'fn');
    if (options === undefined && isPlainNs(delayNs)) {
      return this.#keep(this.#core.schedule(delayNs, NORMAL), fn, undefined);
    }
    const delay = toNs(delayNs, 'delayNs');
    const { priority, deadlineNs, name } = toOptions(options, ONCE);
    return this.#keep(this.#core.scheduleWith(delay, priority, deadlineNs), fn, name);
  }

  schedulePeriodic(fn, periodNs, options) {
    checkFunction(fn, 'fn');
    const period = toNs(periodNs, 'periodNs', 1n);
    const { priority, deadlineNs, name, delayNs, missedTick } = toOptions(options, PERIODIC);
    const delay = delayNs ?? period;
    const id = this.#core.schedulePeriodic(delay, period, priority, deadlineNs, missedTick);
    return this.#keep(id, fn, name);
  }

  #keep(id, fn, name) {
    if (id < 0) {
      throw new RangeError(
        id === -1
          ? `config.capacity: ${this.#capacity} tasks are pending already`
          : 'delayNs: the release would lie beyond the end of time, 2^64 ns',
      );
    }
    this.#host.keep(slotOf(id), fn, name);
    if (this.#driver !== undefined && !this.#isTicking) this.#driver.scheduled();
    return id;
  }

  cancel(id) {
    checkId(id);
    if (!this.#core.cancel(id)) return false;
    this.#host.functions[slotOf(id)] = undefined;
    return true;
  }

  clear() {
    this.#core.clear();
    this.#host.clear();
  }

  get pending() {
    return this.#core.pending();
  }

  nextReleaseMs() {
    return this.#core.nextReleaseMs();
  }

  get_metrics() {
    return toMetrics(this.#core.metrics());
  }

  temporalOverlap() {
    return this.#core.temporalOverlap();
  }

  windows() {
    return toWindows(this.#core.windows());
  }

  strangeLoopState() {
    return this.strangeLoop().load;
  }

  strangeLoop() {
    return toEstimates(this.#core.estimates());
  }

  onDeadlineMiss(fn) {
    if (fn !== undefined) checkFunction(fn, 'fn');
    this.#onDeadlineMiss = fn;
  }

  onError(fn) {
    if (fn !== undefined) checkFunction(fn, 'fn');
    this.#host.onError = fn;
  }

  start(options) {
    if (this.#driver !== undefined) throw new Error('the scheduler has been started; stop() it first');
    void this.#core.tick; // Throws if it is of no use any more.
    this.#driver = startDriver(this, options);
  }

  stop() {
    this.#driver?.stop();
    this.#driver = undefined;
  }

  free() {
    if (this.#isFreed) return;
    this.clear();
    this.stop();
    this.#isFreed = true;
    if (this.#isTicking) {
      this.#host.isUnsettled = true;
    } else {
      this.#release();
    }
  }

  #release() {
    this.#core.free();
    this.#core = unusable('the scheduler has been freed');
  }
}

// Not every engine knows it yet.
if (Symbol.dispose !== undefined) {
  WasmScheduler.prototype[Symbol.dispose] = WasmScheduler.prototype.free;
}
