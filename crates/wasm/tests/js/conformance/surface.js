// Hazard: arguments that are taken for something else, and times that are lost on the way.

import { manual, numbers, same, throws } from './check.js';

const nothing = () => {};

export default {
  'bad arguments are refused with their names, and change nothing'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    const refused = [
      [() => scheduler.schedule(undefined, 1), TypeError, 'fn', 'undefined'],
      [() => scheduler.schedule('alert()', 1), TypeError, 'fn', 'string'],
      [() => scheduler.schedule(nothing), TypeError, 'delayNs', 'undefined'],
      [() => scheduler.schedule(nothing, '5'), TypeError, 'delayNs', 'string'],
      [() => scheduler.schedule(nothing, -1), RangeError, 'delayNs', '-1'],
      [() => scheduler.schedule(nothing, NaN), RangeError, 'delayNs', 'NaN'],
      [() => scheduler.schedule(nothing, Infinity), RangeError, 'delayNs', 'Infinity'],
      [() => scheduler.schedule(nothing, 2 ** 53), RangeError, 'delayNs', 'BigInt'],
      [() => scheduler.schedule(nothing, -1n), RangeError, 'delayNs', '-1n'],
      [() => scheduler.schedule(nothing, 2n ** 64n), RangeError, 'delayNs', '2^64'],
      [() => scheduler.schedule(nothing, 1, null), TypeError, 'options', 'null'],
      [() => scheduler.schedule(nothing, 1, { prio: 'high' }), TypeError, 'options.prio'],
      [() => scheduler.schedule(nothing, 1, { priority: 'urgent' }), RangeError, 'options.priority'],
      [() => scheduler.schedule(nothing, 1, { priority: 1 }), TypeError, 'options.priority'],
      [() => scheduler.schedule(nothing, 1, { deadlineNs: -2 }), RangeError, 'options.deadlineNs'],
      [() => scheduler.schedule(nothing, 1, { name: 7 }), TypeError, 'options.name'],
      [() => scheduler.schedule(nothing, 1, { delayNs: 7 }), TypeError, 'options.delayNs'],
      [() => scheduler.schedulePeriodic(nothing, 0.5), RangeError, 'periodNs', '0.5'],
      [() => scheduler.schedulePeriodic(nothing, 5, { missedTick: 'no' }), RangeError, 'missedTick'],
      [() => scheduler.cancel('1'), TypeError, 'id'],
      [() => scheduler.cancel(1.5), RangeError, 'id', '1.5'],
      [() => scheduler.cancel(undefined), TypeError, 'id'],
      [() => scheduler.tickAt(), TypeError, 'nowMs'],
      [() => scheduler.tickAt(-1), RangeError, 'nowMs'],
      [() => scheduler.tickAt(NaN), RangeError, 'nowMs'],
      [() => scheduler.tickAt(Infinity), RangeError, 'nowMs'],
      [() => scheduler.tickAt(2e13), RangeError, 'nowMs', '2^64 ns'],
      [() => scheduler.onError('log'), TypeError, 'fn'],
      [() => scheduler.onDeadlineMiss(3), TypeError, 'fn'],
      [() => scheduler.start({ driver: 'cron' }), RangeError, 'options.driver'],
      [() => scheduler.start({ periodMs: -1 }), RangeError, 'options.periodMs'],
      [() => scheduler.start({ periodMs: 2 ** 31 }), RangeError, 'options.periodMs'],
    ];
    for (const [call, type, ...words] of refused) throws(call, type, ...words);
    same([scheduler.pending, scheduler.tickAt(1)], [0, 0]);
  },

  'bad configurations are refused with field and bound'(WasmScheduler) {
    const refused = [
      [{ capacity: 0 }, RangeError, 'config.capacity is 0', '2097152'],
      [{ capacity: 2 ** 21 + 1 }, RangeError, 'config.capacity'],
      [{ capacity: 1.5 }, RangeError, 'config.capacity'],
      [{ maxTasksPerTick: 0 }, RangeError, 'config.maxTasksPerTick'],
      [{ windowSize: 0 }, RangeError, 'config.windowSize'],
      [{ lipschitzConstant: 1 }, RangeError, 'config.lipschitzConstant', 'below 1'],
      [{ lipschitzConstant: NaN }, RangeError, 'config.lipschitzConstant'],
      [{ strangeLoop: 1 }, TypeError, 'config.strangeLoop'],
      [{ missedTick: 'Skip' }, RangeError, 'config.missedTick'],
      [{ windows: {} }, TypeError, 'config.windows.lengthNs'],
      [{ windows: { lengthNs: 9, hopNs: 0 } }, RangeError, 'config.windows.hopNs'],
      [{ windows: { lengthNs: 65, hopNs: 1 } }, RangeError, 'config.windows', 'windowSize'],
      [{ tickRate: 1 }, TypeError, 'config.tickRate'],
      ['fast', TypeError, 'config'],
    ];
    for (const [config, type, ...words] of refused) throws(() => new WasmScheduler(config), type, ...words);
    new WasmScheduler({ capacity: undefined, windows: { lengthNs: 64, hopNs: 1 } }).free();
  },

  'a full scheduler refuses, and disturbs nothing'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler, { capacity: 2 });
    const log = [];
    numbers(2).forEach((n) => scheduler.schedule(() => log.push(n), n));
    throws(() => scheduler.schedule(nothing, 0), RangeError, 'config.capacity', '2 tasks');
    same([tickAt(5), log], [2, [0, 1]]);
    scheduler.schedule(nothing, 0);
  },

  'ns arrive exactly, as Numbers and as BigInts'(WasmScheduler) {
    for (const ns of [0, 1, 999_999, 2 ** 31, 2 ** 32 + 1, 2 ** 50 + 1]) {
      for (const delay of [ns, BigInt(ns), ns + 0.25]) {
        const { scheduler, tickAt } = manual(WasmScheduler);
        scheduler.schedule(nothing, delay);
        if (ns > 0) same(tickAt(ns - 1), 0, delay);
        same(tickAt(ns), 1, delay);
        scheduler.free();
      }
    }
  },

  'the far end of time can be reached, and not passed'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    const id = scheduler.schedule(nothing, 2n ** 64n - 1n);
    same([scheduler.tickAt(1), scheduler.cancel(id)], [0, true]);
    throws(() => scheduler.schedule(nothing, 2n ** 64n - 1n), RangeError, 'delayNs', '2^64');
    scheduler.schedule(nothing, 2n ** 64n - 1_000_001n);
    same(scheduler.tickAt(scheduler.nextReleaseMs()), 1);
  },

  'a tick at the next release runs it, however late in time'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    for (let exponent = 0; exponent < 63; exponent++) {
      scheduler.schedule(nothing, 2n ** BigInt(exponent) + 1n);
      same(scheduler.tickAt(scheduler.nextReleaseMs()), 1, exponent);
    }
  },

  'the time of tickAt is now until the next tick'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    scheduler.tickAt(1);
    scheduler.schedule(nothing, 5e6);
    same(scheduler.nextReleaseMs(), 6);
    scheduler.tickAt(0.5);
    scheduler.schedule(nothing, 1e6);
    same(scheduler.nextReleaseMs(), 2, 'time does not step back');
    scheduler.tick();
    const before = performance.now();
    scheduler.clear();
    scheduler.schedule(nothing, 0);
    same(scheduler.nextReleaseMs() >= before - 1, true);
  },

  'ticks in quiet times are ticks: time passes, and each is counted'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    const log = [];
    scheduler.schedule(() => log.push('far'), 10e6);
    for (const ms of [1, 2, 3, 4, 9.5, 9.9999989]) same(scheduler.tickAt(ms), 0, ms);
    same(scheduler.get_metrics().idle_ticks, 7);
    same(scheduler.tickAt(5), 0);
    scheduler.schedule(() => log.push('near'), 0);
    same(scheduler.nextReleaseMs(), 9.999999, 'time did not step back');
    same([scheduler.tickAt(9.9999995), log], [2, ['near', 'far']], 'to the nearest ns');
    for (const ms of [11, 12, 13]) scheduler.tickAt(ms);
    scheduler.schedule(() => log.push('now'), 0, { priority: 'low' });
    same([scheduler.nextReleaseMs(), scheduler.tickAt(13)], [13, 1]);
    const { elapsed_ns, idle_ticks, ticks } = scheduler.get_metrics();
    same([elapsed_ns, idle_ticks, ticks], [13e6, 11, 2]);
    throws(() => scheduler.tickAt('14'), TypeError, 'nowMs');
  },

  'ids are whole Numbers, and differ'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const ids = numbers(3_000).map((n) => {
      const id = scheduler.schedule(nothing, n % 7);
      if (n % 10 === 0) tickAt(n);
      return id;
    });
    same([new Set(ids).size, ids.every(Number.isSafeInteger)], [3_000, true]);
  },

  'metrics count what happened'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    scheduler.schedule(nothing, 10);
    scheduler.cancel(scheduler.schedule(nothing, 10));
    scheduler.schedulePeriodic(nothing, 1000);
    [5, 10, 3_000].forEach(tickAt);
    const { memory_bytes, tasks_per_second, ...counts } = scheduler.get_metrics();
    same(counts, {
      elapsed_ns: 3_000,
      ticks: 2,
      idle_ticks: 2,
      executed: 2,
      cancelled: 1,
      missed_deadlines: 0,
      missed_ticks: 2,
      pending: 1,
      avg_tick_time_ns: 0,
      min_tick_time_ns: 0,
      max_tick_time_ns: 0,
    });
    same([memory_bytes > 0, Math.round(tasks_per_second)], [true, 666_667]);
  },

  'windows overlap as configured'(WasmScheduler) {
    const windows = { lengthNs: 100, hopNs: 25n, offsetNs: 5 };
    const { scheduler, tickAt } = manual(WasmScheduler, { windows, windowSize: 4 });
    scheduler.schedulePeriodic(nothing, 10);
    numbers(100).forEach((n) => tickAt(n * 10 + 3));
    const kept = scheduler.windows();
    same([kept.length, scheduler.temporalOverlap()], [4, 0.75]);
    same(kept[0], { startNs: 805, endNs: 905, jobs: 10, meanLatencyNs: 3, maxLatencyNs: 3 });
  },

  'the strange loop finds the load'(WasmScheduler) {
    const scheduler = new WasmScheduler({ lipschitzConstant: 0.5 });
    same([scheduler.strangeLoopState(), scheduler.temporalOverlap()], [0, 0]);
    const busy = () => {
      const end = performance.now() + 1;
      while (performance.now() < end);
    };
    for (let n = 0; n < 40; n++) {
      scheduler.schedule(busy, 0);
      scheduler.tick();
    }
    const { load, observations, is_converged } = scheduler.strangeLoop();
    same([load > 0.5 && load <= 1, observations, typeof is_converged], [true, 40, 'boolean']);
    same(new WasmScheduler({ strangeLoop: false }).strangeLoop().observations, 0);
  },

  'it is disposable'(WasmScheduler) {
    const scheduler = new WasmScheduler();
    if (Symbol.dispose === undefined) return;
    scheduler[Symbol.dispose]();
    throws(() => scheduler.tick(), Error, 'freed');
  },
};
