// WasmScheduler: arguments are checked here, functions are kept here, and errors are made here.

import { LAST_MS, NEVER, NORMAL, checkFunction, checkId, isPlainNs, toMs, toNs, toOptions, toSettings } from './arguments.js';
import { startDriver } from './drivers.js';
import { Host, attach, now, slotOf, takeFigures } from './host.js';
import * as core from './nanosecond_scheduler.js';
import { toEstimates, toMetrics, toWindows } from './reports.js';

const ONCE = ['priority', 'deadlineNs', 'name'];
const PERIODIC = [...ONCE, 'delayNs', 'missedTick'];

function release(number) {
  core.free(number);
  attach(number, undefined);
}

/** Frees schedulers that nobody can reach any more. */
const forgotten = new FinalizationRegistry(release);

export class WasmScheduler {
  #number;
  /** Why it can no longer be used. */
  #end = undefined;
  #host = new Host();
  #capacity;
  /** Of tasks that have no policy of their own. */
  #missedTick;
  #isTicking = false;
  /** Whether what is scheduled now counts from the host's time: not in a tick, or after a tickAt. */
  #followsClock = true;
  #isToBeFreed = false;
  #onDeadlineMiss = undefined;
  #driver = undefined;
  /** Windows close in ticks that find nothing due. */
  #hasWindows;
  /** Ticks before this find nothing: the module is not asked, but told the time when it matters. */
  #quietUntilMs = 0;
  #quietNowMs = 0;
  #quietTicks = 0;
  /** Such ticks that the module does not count. */
  #uncountedTicks = 0;

  constructor(config) {
    const settings = toSettings(config);
    let number;
    try {
      number = core.create(
        settings.capacity,
        settings.maxTasksPerTick,
        settings.missedTick,
        settings.strangeLoop,
        settings.lipschitzConstant,
        settings.windowSize,
        settings.lengthNs,
        settings.hopNs,
        settings.offsetNs,
      );
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new Error('the module is not loaded: await init() first', { cause });
    }
    if (number < 0) {
      throw new RangeError('config.windows: more windows would be open at a time than config.windowSize');
    }
    attach(number, this.#host);
    this.#number = number;
    forgotten.register(this, number, this);
    this.#capacity = settings.capacity;
    this.#missedTick = settings.missedTick;
    this.#hasWindows = settings.lengthNs > 0n;
  }

  /** The module's number of the scheduler. */
  get #core() {
    if (this.#end !== undefined) throw new Error(this.#end.message, { cause: this.#end.cause });
    if (this.#quietTicks > 0) this.#endQuiet();
    return this.#number;
  }

  /** Lets the module know the time: by a tick, which finds nothing. */
  #endQuiet() {
    this.#uncountedTicks += this.#quietTicks - 1;
    this.#quietTicks = 0;
    core.tickAt(this.#number, this.#quietNowMs);
  }

  tick() {
    const number = this.#enter();
    let executed;
    try {
      executed = core.tick(number, now());
    } catch (cause) {
      this.#break(cause);
    }
    this.#followsClock = true;
    return this.#leave(executed);
  }

  tickAt(nowMs) {
    if (typeof nowMs === 'number' && nowMs < this.#quietUntilMs && nowMs >= this.#quietNowMs) {
      this.#quietNowMs = nowMs;
      this.#quietTicks++;
      return 0;
    }
    const ms = toMs(nowMs, 'nowMs');
    const number = this.#enter();
    let executed;
    try {
      executed = core.tickAt(number, ms);
      if (executed === 0 && !this.#hasWindows) this.#beginQuiet(ms);
    } catch (cause) {
      this.#break(cause);
    }
    return this.#leave(executed);
  }

  #beginQuiet(nowMs) {
    const next = Math.min(core.nextReleaseMs(this.#number), LAST_MS);
    // Short of the next release by what rounding to ns may add.
    this.#quietUntilMs = next * (1 - 2 ** -50) - 1e-6;
    this.#quietNowMs = nowMs;
  }

  #enter() {
    if (this.#isTicking) throw new Error('a callback ticked the scheduler that called it');
    const number = this.#core;
    this.#isTicking = true;
    this.#followsClock = false;
    this.#quietUntilMs = 0;
    return number;
  }

  /** Callbacks' errors are caught where they are called: what comes out of the module is its end. */
  #break(cause) {
    this.#isTicking = false;
    this.stop();
    forgotten.unregister(this);
    this.#quietUntilMs = 0;
    this.#end = { message: 'the scheduler broke down in a tick', cause };
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
    if (this.#isToBeFreed) {
      this.#isToBeFreed = false;
      release(this.#number);
    }
    const errors = host.errors.splice(0);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} callbacks threw`);
  }

  schedule(fn, delayNs, options) {
    checkFunction(fn, 'fn');
    if (options === undefined && isPlainNs(delayNs)) {
      return this.#schedulePlain(fn, delayNs, NORMAL, undefined);
    }
    const delay = toNs(delayNs, 'delayNs');
    const given = toOptions(options, ONCE);
    if (given.deadlineNs === NEVER && isPlainNs(delayNs)) {
      return this.#schedulePlain(fn, delayNs, given.priority, given.name);
    }
    return this.#scheduleWith(fn, delay, 0n, given);
  }

  schedulePeriodic(fn, periodNs, options) {
    checkFunction(fn, 'fn');
    const period = toNs(periodNs, 'periodNs', 1n);
    const given = toOptions(options, PERIODIC);
    return this.#scheduleWith(fn, given.delayNs ?? period, period, given);
  }

  #schedulePlain(fn, delayNs, priority, name) {
    const nowMs = this.#followsClock ? now() : NaN;
    return this.#keep(core.schedule(this.#core, delayNs, priority, nowMs), fn, name);
  }

  #scheduleWith(fn, delay, period, { priority, deadlineNs, missedTick = this.#missedTick, name }) {
    const id = core.scheduleWith(this.#core, delay, priority, deadlineNs, period, missedTick);
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
    this.#quietUntilMs = 0;
    this.#host.keep(slotOf(id), fn, name);
    if (this.#driver !== undefined && !this.#isTicking) this.#driver.scheduled();
    return id;
  }

  cancel(id) {
    checkId(id);
    if (!core.cancel(this.#core, id)) return false;
    this.#host.functions[slotOf(id)] = undefined;
    return true;
  }

  clear() {
    core.clear(this.#core);
    this.#host.clear();
  }

  get pending() {
    return core.pending(this.#core);
  }

  nextReleaseMs() {
    const ms = core.nextReleaseMs(this.#core);
    return ms === Infinity ? undefined : ms;
  }

  get_metrics() {
    core.metrics(this.#core);
    const metrics = toMetrics(takeFigures());
    return { ...metrics, idle_ticks: metrics.idle_ticks + this.#uncountedTicks };
  }

  temporalOverlap() {
    return core.temporalOverlap(this.#core);
  }

  windows() {
    core.windows(this.#core);
    return toWindows(takeFigures());
  }

  strangeLoopState() {
    return this.strangeLoop().load;
  }

  strangeLoop() {
    core.estimates(this.#core);
    return toEstimates(takeFigures());
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
    void this.#core; // Throws if it can no longer be used.
    this.#driver = startDriver(this, options);
  }

  stop() {
    this.#driver?.stop();
    this.#driver = undefined;
  }

  free() {
    if (this.#end !== undefined) return;
    this.clear();
    this.stop();
    forgotten.unregister(this);
    this.#onDeadlineMiss = undefined;
    this.#quietUntilMs = 0;
    this.#end = { message: 'the scheduler has been freed' };
    if (!this.#isTicking) return release(this.#number);
    this.#isToBeFreed = true;
    this.#host.isUnsettled = true;
  }
}

// Not every engine knows it yet.
if (Symbol.dispose !== undefined) {
  WasmScheduler.prototype[Symbol.dispose] = WasmScheduler.prototype.free;
}
