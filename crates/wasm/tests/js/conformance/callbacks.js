// Hazard: a callback that throws, schedules, cancels, clears, frees or ticks, and takes others with it.

import { manual, numbers, same, throws } from './check.js';

export default {
  'what one callback throws is thrown after the tick, and the others run'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    const error = new Error('mine');
    numbers(3).forEach((n) =>
      scheduler.schedule(() => {
        log.push(n);
        if (n === 1) throw error;
      }, n),
    );
    same(throws(() => tickAt(9), Error, 'mine') === error, true);
    same([log, scheduler.pending, tickAt(10)], [[0, 1, 2], 0, 0]);
  },

  'what several callbacks throw is thrown together'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    for (const thrown of ['text', undefined, new TypeError('last')]) {
      scheduler.schedule(() => {
        throw thrown;
      }, 0);
    }
    const { errors } = throws(() => tickAt(0), AggregateError, '3 callbacks');
    same([errors.slice(0, 2), errors[2].message], [['text', undefined], 'last']);
    same(tickAt(0), 0, 'they are not thrown again');
  },

  'onError is told at once, and may cancel'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler, { missedTick: 'burst' });
    const log = [];
    const fail = () => {
      throw new Error('always');
    };
    const id = scheduler.schedulePeriodic(fail, 10, { name: 'shaky' });
    scheduler.onError((error, task) => {
      log.push([error.message, task]);
      if (log.length === 2) scheduler.cancel(task.id);
    });
    same([tickAt(100), scheduler.pending], [2, 0]);
    same(log, Array(2).fill(['always', { id, name: 'shaky' }]));
  },

  'what onError throws is thrown after the tick'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    scheduler.onError((error) => {
      throw new Error(`handler of ${error.message}`);
    });
    scheduler.schedule(() => {
      throw new Error('task');
    }, 0);
    throws(() => tickAt(0), Error, 'handler of task');
    scheduler.onError(undefined);
    scheduler.schedule(() => {
      throw new Error('plain');
    }, 0);
    throws(() => tickAt(0), Error, 'plain');
  },

  'a periodic task that throws goes on'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    let jobs = 0;
    scheduler.schedulePeriodic(() => {
      jobs++;
      throw new Error(`job ${jobs}`);
    }, 10);
    for (const k of [1, 2, 3]) throws(() => tickAt(k * 10), Error, `job ${k}`);
    same([jobs, scheduler.pending], [3, 1]);
  },

  'a callback cannot tick the scheduler that called it'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    scheduler.schedule(() => {
      throws(() => scheduler.tick(), Error, 'ticked');
      throws(() => scheduler.tickAt(1), Error, 'ticked');
      log.push('refused');
    }, 0);
    scheduler.schedule(() => log.push('next'), 0);
    same([tickAt(0), log], [2, ['refused', 'next']]);
  },

  'a callback asks for what can be asked outside'(WasmScheduler) {
    const windows = { lengthNs: 10, hopNs: 5 };
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler, { windows });
    const seen = [];
    const look = () =>
      seen.push([
        scheduler.pending,
        nextNs(),
        scheduler.get_metrics().executed,
        scheduler.temporalOverlap(),
        scheduler.windows().length,
        scheduler.strangeLoop().observations,
      ]);
    for (const delay of [10, 20, 20]) scheduler.schedule(look, delay);
    [10, 20].forEach(tickAt);
    same(seen, [
      [2, 20, 0, 0, 0, 0],
      [1, 20, 1, 0.5, 2, 1],
      [0, undefined, 1, 0.5, 2, 1],
    ]);
  },

  'a callback clears; what it schedules then runs'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    scheduler.schedulePeriodic(() => {
      log.push('clear');
      scheduler.clear();
      scheduler.schedule(() => log.push('at once'), 0);
      scheduler.schedule(() => log.push('later'), 7);
    }, 5);
    scheduler.schedule(() => log.push('cleared'), 5);
    same([tickAt(5), tickAt(100), scheduler.pending], [2, 1, 0]);
    same(log, ['clear', 'at once', 'later']);
  },

  'a callback frees; the tick ends, and nothing runs any more'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    scheduler.schedule(() => {
      log.push('freed');
      scheduler.free();
    }, 0);
    scheduler.schedule(() => log.push('lost'), 0);
    same([tickAt(0), log], [1, ['freed']]);
    throws(() => scheduler.tick(), Error, 'freed');
    throws(() => scheduler.schedule(() => {}, 1), Error, 'freed');
    throws(() => scheduler.pending, Error, 'freed');
    scheduler.free();
  },

  'free within a handler ends what would be told'(WasmScheduler) {
    const told = [];
    for (const handler of ['onError', 'onDeadlineMiss']) {
      const { scheduler, tickAt } = manual(WasmScheduler);
      scheduler[handler](() => {
        told.push(handler);
        scheduler.free();
      });
      numbers(2).forEach(() =>
        scheduler.schedule(
          () => {
            if (handler === 'onError') throw new Error('mine');
          },
          0,
          { deadlineNs: 0 },
        ),
      );
      same(tickAt(1), handler === 'onError' ? 1 : 2);
      throws(() => tickAt(2), Error, 'freed');
    }
    same(told, ['onError', 'onDeadlineMiss']);
  },

  'schedulers tick each other'(WasmScheduler) {
    const [outer, inner] = numbers(2).map(() => manual(WasmScheduler));
    const log = [];
    outer.scheduler.schedule(() => {
      inner.tickAt(1);
      log.push('outer');
    }, 1);
    inner.scheduler.schedule(() => {
      outer.scheduler.schedule(() => log.push('child of inner in outer'), 0);
      log.push('inner');
    }, 1);
    same([outer.tickAt(1), log], [2, ['inner', 'outer', 'child of inner in outer']]);
  },

  'a deep recursion that ends in a callback harms nobody'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    const deep = () => deep() + 1;
    scheduler.schedule(deep, 0);
    scheduler.schedule(() => log.push('next'), 0);
    throws(() => tickAt(0), RangeError, 'stack');
    same([log, tickAt(0)], [['next'], 0]);
  },

  'a missed deadline is told after the tick, with the name'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    scheduler.onDeadlineMiss((miss) => {
      log.push(miss);
      scheduler.schedule(() => log.push('follow-up'), 0);
    });
    const id = scheduler.schedule(() => log.push('ran'), 2e6, { deadlineNs: 1e6, name: 'tight' });
    scheduler.schedule(() => log.push('in time'), 4e6, { deadlineNs: 1e6 });
    same(tickAt(5e6), 2);
    same(log, ['ran', 'in time', { id, name: 'tight', expectedMs: 3, actualMs: 5 }]);
    same([tickAt(5e6), log.at(-1)], [1, 'follow-up']);
    same(scheduler.get_metrics().missed_deadlines, 1);
  },

  'a job that ends late has missed its deadline'(WasmScheduler) {
    const scheduler = new WasmScheduler();
    const misses = [];
    scheduler.onDeadlineMiss((miss) => misses.push(miss));
    const busy = () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
    };
    scheduler.schedule(busy, 0, { deadlineNs: 2e6, name: 'slow' });
    scheduler.tick();
    same([misses.length, misses[0].name, misses[0].actualMs > misses[0].expectedMs], [1, 'slow', true]);
  },

  'a job keeps its name, whatever takes its slot'(WasmScheduler) {
    const scheduler = new WasmScheduler();
    const told = [];
    scheduler.onError((_, { id, name }) => told.push([id, name]));
    scheduler.onDeadlineMiss(({ id, name }) => told.push([id, name]));
    const busy = () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
    };
    const job = () => {
      scheduler.cancel(id);
      scheduler.schedule(() => {}, 1e12, { name: 'successor' });
      busy();
      throw new Error('mine');
    };
    let id = scheduler.schedule(job, 0, { name: 'once', deadlineNs: 1e6 });
    const once = id;
    scheduler.tick();
    id = scheduler.schedulePeriodic(job, 1e12, { name: 'again', deadlineNs: 1e6, delayNs: 0 });
    scheduler.tick();
    const late = scheduler.schedule(() => {}, 0, { name: 'late', deadlineNs: 0 });
    busy();
    scheduler.tick();
    const [first, second, third] = [[once, 'once'], [id, 'again'], [late, 'late']];
    same(told.splice(0), [first, first, second, second, third]);
    scheduler.schedule(() => (scheduler.clear(), busy()), 0, { name: 'clears', deadlineNs: 1e6 });
    scheduler.tick();
    same(told[0][1], 'clears');
  },
};
