// Hazard: periods that drift, or are lost or doubled when ticks come late. The cases of
// tests/periodic.rs.

import { manual, numbers, same, scatter, throws } from './check.js';

/** When jobs of a task run that is ticked at these instants. */
function jobsAt({ scheduler, tickAt }, instants, periodNs, options) {
  const jobs = [];
  let now;
  scheduler.schedulePeriodic(() => jobs.push(now), periodNs, options);
  for (now of instants) tickAt(now);
  return jobs;
}

export default {
  'release k is first + k periods'(WasmScheduler) {
    for (const missedTick of ['burst', 'skip']) {
      const { scheduler, tickAt, nextNs } = manual(WasmScheduler, { missedTick });
      let jobs = 0;
      scheduler.schedulePeriodic(() => jobs++, 1_000);
      // Every tick is late by something else, but none by a period.
      for (let k = 1; k <= 500; k++) {
        tickAt(k * 1_000 + scatter(k, 999));
        same([jobs, nextNs()], [k, (k + 1) * 1_000], missedTick);
      }
      same(scheduler.get_metrics().missed_ticks, 0);
    }
  },

  'under delay a period counts from the late job'(WasmScheduler) {
    const pair = manual(WasmScheduler, { missedTick: 'delay' });
    same(jobsAt(pair, [1_000, 2_003, 3_002, 3_003, 4_010], 1_000), [1_000, 2_003, 3_003, 4_010]);
    same(pair.nextNs(), 5_010);
  },

  'burst, delay and skip mean what they do in tokio'(WasmScheduler) {
    // Policy, first tick, jobs in it, next release, missed ticks; the first release is at 10.
    const cases = [
      ['burst', 10, 1, 20, 0],
      ['delay', 10, 1, 20, 0],
      ['skip', 10, 1, 20, 0],
      ['burst', 13, 1, 20, 0],
      ['delay', 13, 1, 23, 0],
      ['skip', 13, 1, 20, 0],
      ['burst', 19, 1, 20, 0],
      ['skip', 19, 1, 20, 0],
      ['burst', 20, 2, 30, 1],
      ['delay', 20, 1, 30, 1],
      ['skip', 20, 1, 30, 1],
      ['burst', 40, 4, 50, 3],
      ['delay', 40, 1, 50, 3],
      ['skip', 40, 1, 50, 3],
      ['burst', 45, 4, 50, 3],
      ['delay', 45, 1, 55, 3],
      ['skip', 45, 1, 50, 3],
    ];
    for (const [missedTick, late, ...expected] of cases) {
      const pair = manual(WasmScheduler);
      const { length } = jobsAt(pair, [late], 10, { missedTick });
      const { missed_ticks } = pair.scheduler.get_metrics();
      same([length, pair.nextNs(), missed_ticks], expected, `${missedTick}, ${late}`);
    }
  },

  'skip is the default, and a task overrides the config'(WasmScheduler) {
    same(jobsAt(manual(WasmScheduler), [35], 10), [35]);
    same(jobsAt(manual(WasmScheduler, { missedTick: 'burst' }), [35], 10), [35, 35, 35]);
    const own = { missedTick: 'skip' };
    same(jobsAt(manual(WasmScheduler, { missedTick: 'burst' }), [35], 10, own), [35]);
  },

  'a burst goes on in the next tick when one is full'(WasmScheduler) {
    const pair = manual(WasmScheduler, { maxTasksPerTick: 3, missedTick: 'burst' });
    same(jobsAt(pair, [75, 76, 77, 78], 10), [75, 75, 75, 76, 76, 76, 77]);
  },

  'a delay moves the first release only'(WasmScheduler) {
    const pair = manual(WasmScheduler);
    pair.tickAt(100);
    same(jobsAt(pair, [100, 120, 150, 170], 50, { delayNs: 0 }), [100, 150]);
  },

  'a rearmed job takes a fresh sequence number'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    let untilTwenty = 10;
    scheduler.schedulePeriodic(() => {
      log.push('periodic');
      scheduler.schedule(() => log.push('child'), untilTwenty);
    }, 10);
    scheduler.schedule(() => log.push('before'), 20);
    tickAt(10);
    scheduler.schedule(() => log.push('after'), 10);
    untilTwenty = 0;
    tickAt(20);
    // The child was submitted by the job, so before the job's successor.
    same(log, ['periodic', 'before', 'child', 'periodic', 'after', 'child']);
  },

  'periodic tasks of equal phase keep their turns'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    numbers(50).forEach((name) => scheduler.schedulePeriodic(() => log.push(name), 100));
    for (let round = 1; round <= 20; round++) {
      tickAt(round * 100);
      same(log.splice(0), numbers(50), round);
    }
  },

  'a period of zero is refused'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    throws(() => scheduler.schedulePeriodic(() => {}, 0), RangeError, 'periodNs', 'from 1');
    same(scheduler.pending, 0);
  },

  'a period of one nanosecond runs every nanosecond'(WasmScheduler) {
    same(jobsAt(manual(WasmScheduler, { missedTick: 'burst' }), [1, 2, 4], 1), [1, 2, 4, 4]);
  },

  'a period longer than time is refused, or runs once'(WasmScheduler) {
    const endless = 2n ** 64n - 1n;
    const pair = manual(WasmScheduler);
    pair.tickAt(1);
    throws(() => pair.scheduler.schedulePeriodic(() => {}, endless), RangeError, 'delayNs', '2^64');
    same(jobsAt(pair, [2, 3], endless, { delayNs: 1 }), [2]);
    same([pair.scheduler.pending, pair.nextNs()], [0, undefined]);
  },

  'a cancelled periodic task runs no more'(WasmScheduler) {
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler);
    let jobs = 0;
    const id = scheduler.schedulePeriodic(() => jobs++, 10);
    [10, 20].forEach(tickAt);
    same([scheduler.cancel(id), nextNs()], [true, undefined]);
    [30, 40].forEach(tickAt);
    same(jobs, 2);
  },
};
