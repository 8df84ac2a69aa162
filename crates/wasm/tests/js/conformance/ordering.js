// Hazard: tasks that run early, or in another order than priority, release, submission. The cases of
// tests/ordering.rs.

import { manual, numbers, same, scatter } from './check.js';

const PRIORITIES = ['critical', 'high', 'normal', 'low'];

/** The order of keys, by their first parts that differ. */
const byParts = (one, other) => one.map((part, at) => part - other[at]).find((part) => part) ?? 0;

export default {
  'tasks start in the first tick at or after their release'(WasmScheduler) {
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler);
    const log = [];
    const releases = numbers(400).map((n) => scatter(n, 60_000));
    releases.forEach((release) => scheduler.schedule(() => log.push(release), release));
    releases.sort((one, other) => one - other);
    for (let now = 0; now < 60_037; now += 37) {
      const due = releases.filter((release) => release <= now);
      same([tickAt(now), log.splice(0)], [due.length, due]);
      releases.splice(0, due.length);
      same(nextNs(), releases[0]);
    }
    same(releases, []);
  },

  'one nanosecond early is too early'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    let now = 0;
    for (const release of [1, 2, 1_000, 262_143, 262_144, 2 ** 33, 2 ** 50]) {
      scheduler.schedule(() => {}, release - now);
      same([tickAt(release - 1), tickAt(release)], [0, 1], release);
      now = release;
    }
  },

  'no task starts early on the real clock'(WasmScheduler) {
    const scheduler = new WasmScheduler();
    const starts = [];
    numbers(100).forEach((n) => {
      const delay = scatter(n, 2_000_000);
      const earliest = performance.now() + delay / 1e6;
      scheduler.schedule(() => starts.push(performance.now() - earliest), delay);
    });
    while (scheduler.pending > 0) scheduler.tick();
    same([starts.length, starts.filter((late) => late < -1e-6)], [100, []]);
  },

  'next release is exact after every change'(WasmScheduler) {
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler, { maxTasksPerTick: 1 });
    const schedule = (priority, release) => {
      const id = scheduler.schedule(() => {}, release, { priority });
      return [id, nextNs()];
    };
    same(nextNs(), undefined);
    same(schedule('low', 500)[1], 500);
    same(schedule('critical', 2 ** 40)[1], 500, 'a more urgent but later task is not next');
    const [first, next] = schedule('low', 499);
    same(next, 499);
    same(schedule('high', 499)[1], 499);
    scheduler.cancel(first);
    same(nextNs(), 499, 'another task of that instant is left');
    same([tickAt(600), nextNs(), tickAt(600), nextNs()], [1, 500, 1, 2 ** 40]);
    same([tickAt(2 ** 40), nextNs()], [1, undefined]);
  },

  'priority, then release, then submission'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    const expected = numbers(600).map((submission) => {
      const urgency = scatter(submission, 4);
      const release = 10 + scatter(submission + 1_000, 12);
      const key = [urgency, release, submission];
      scheduler.schedule(() => log.push(key), release, { priority: PRIORITIES[urgency] });
      return key;
    });
    tickAt(100);
    same(log, expected.sort(byParts));
  },

  'normal is the default priority'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    for (const priority of ['low', 'normal', 'high', 'critical']) {
      scheduler.schedule(() => log.push(priority), 0, { priority });
    }
    scheduler.schedule(() => log.push('default'), 0);
    tickAt(0);
    same(log, ['critical', 'high', 'normal', 'default', 'low']);
  },

  'ties stay FIFO through cascades, cancels and partial ticks'(WasmScheduler) {
    const { scheduler, tickAt, drainAt, nextNs } = manual(WasmScheduler, { maxTasksPerTick: 7 });
    const instant = 2 ** 50 + 2 ** 31;
    const log = [];
    const neighbours = [];
    let submitted = 0;
    const submit = (delay) => {
      const name = submitted++;
      scheduler.schedule(() => log.push(name), delay);
    };
    for (let bits = 49; bits > 0; bits--) {
      const distance = 2 ** bits;
      same(tickAt(instant - distance), 0, bits);
      for (let n = 0; n < 30; n++) {
        submit(distance);
        for (const beside of [-1, 1, 0]) {
          neighbours.push(scheduler.schedule(() => log.push('cancelled'), distance + beside));
        }
      }
      neighbours.splice(neighbours.length / 2).forEach((id) => scheduler.cancel(id));
    }
    neighbours.forEach((id) => scheduler.cancel(id));
    same(nextNs(), instant);
    for (let n = 0; n < 100; n++) {
      same(tickAt(instant), 7);
      submit(0);
    }
    drainAt(instant);
    same([log, scheduler.pending], [numbers(submitted), 0]);
  },

  'ties are FIFO in a crowd beyond every internal bound'(WasmScheduler) {
    for (const distance of [1, 50_000, 2 ** 20, 2 ** 45]) {
      const { scheduler, drainAt } = manual(WasmScheduler, { maxTasksPerTick: 600 });
      const log = [];
      numbers(20_000).forEach((n) => scheduler.schedule(() => log.push(n), distance));
      drainAt(distance);
      same(log, numbers(20_000), distance);
      scheduler.free();
    }
  },

  'releases years apart run in order and their ties are FIFO'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    const log = [];
    const expected = numbers(900).map((submission) => {
      const years = scatter(submission, 30);
      const within = scatter(submission % 7, 2 ** 20);
      const key = [years, within, submission];
      scheduler.schedule(() => log.push(key), 2n ** 63n + (BigInt(years) << 54n) + BigInt(within));
      return key;
    });
    scheduler.tickAt(2 ** 64 / 1e6);
    same(log, expected.sort(byParts));
  },

  'late and punctual arrivals of one instant are FIFO'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler, { maxTasksPerTick: 3 });
    const log = [];
    for (const [name, delay] of [['d1', 40], ['a1', 10], ['c1', 30], ['a2', 10]]) {
      scheduler.schedule(() => log.push(name), delay);
    }
    tickAt(50);
    scheduler.schedule(() => log.push('e1'), 0);
    scheduler.schedule(() => log.push('e2'), 0);
    tickAt(50);
    same(log, ['a1', 'a2', 'c1', 'd1', 'e1', 'e2']);
  },

  'children compete in the same tick under the same order'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    const schedule = (name, delay, priority) =>
      scheduler.schedule(() => log.push(name), delay, { priority });
    scheduler.schedule(() => {
      log.push('parent');
      schedule('low', 0, 'low');
      schedule('critical', 0, 'critical');
      schedule('tie', 0, 'normal');
      schedule('not due', 1, 'critical');
    }, 1);
    schedule('sibling 10', 10, 'normal');
    schedule('sibling 50', 50, 'normal');
    same(tickAt(50), 6);
    same(log, ['parent', 'critical', 'sibling 10', 'sibling 50', 'tie', 'low']);
    same([tickAt(51), log.at(-1)], [1, 'not due']);
  },

  'a delay counts from the decision instant'(WasmScheduler) {
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler);
    scheduler.schedule(() => scheduler.schedule(() => {}, 10), 1_000);
    tickAt(1_007);
    same(nextNs(), 1_017);
  },

  'a task that reschedules itself at once cannot hang a tick'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler, { maxTasksPerTick: 5 });
    const again = () => scheduler.schedule(again, 0);
    again();
    same([tickAt(0), tickAt(0), scheduler.pending], [5, 5, 1]);
  },
};
