// Hazard: a cancel that hits the wrong task, none, or leaves something behind. The cases of
// tests/cancel.rs.

import { manual, numbers, same, scatter } from './check.js';

/** Where tasks are when they are cancelled: releases that lead there, by order of submission. */
const PLACES = {
  'near, in order': (n) => 10 + n,
  'near, against the order': (n) => 5_000 - n,
  'far, in order': (n) => 2 ** 40 + n,
  'far, scattered': (n) => 2 ** 40 + scatter(n, 2 ** 38),
  'one far instant': () => 2 ** 40,
};

/** At 0 all goes to the queue's part for what is far; later some is near. */
const STARTS = [0, 2 ** 20];

const byRelease = (releaseOf) => (one, other) => releaseOf(one) - releaseOf(other) || one - other;

/** Cancels `victims` of `count` tasks, and checks all that is left against what should be. */
function cancelAndCheck(WasmScheduler, count, victims, [place, releaseOf]) {
  for (const start of STARTS) {
    const about = `${count} tasks, ${place}, from ${start}`;
    const { scheduler, tickAt, drainAt, nextNs } = manual(WasmScheduler, { maxTasksPerTick: 64 });
    tickAt(start);
    const log = [];
    const ids = numbers(count).map((n) => scheduler.schedule(() => log.push(n), releaseOf(n)));
    const order = numbers(count).sort(byRelease(releaseOf));
    const gone = new Set();
    let head = 0;
    for (const victim of victims) {
      same(scheduler.cancel(ids[victim]), true, about);
      gone.add(victim);
      while (gone.has(order[head])) head++;
      const next = head < count ? start + releaseOf(order[head]) : undefined;
      same([scheduler.pending, nextNs()], [count - gone.size, next], about);
    }
    drainAt(2 ** 50);
    same(log, order.filter((n) => !gone.has(n)), about);
    same(ids.filter((id) => scheduler.cancel(id)), [], about);
    scheduler.free();
  }
}

export default {
  'cancel of head, middle, last or any leaves the others alone'(WasmScheduler) {
    for (const place of Object.entries(PLACES)) {
      for (const count of [1, 2, 3, 17]) {
        numbers(count).forEach((victim) => cancelAndCheck(WasmScheduler, count, [victim], place));
      }
      for (const victim of [0, 1, 1_023, 1_024, 1_025, 2_999]) {
        cancelAndCheck(WasmScheduler, 3_000, [victim], place);
      }
    }
  },

  'cancel of most tasks in any direction leaves the others alone'(WasmScheduler) {
    const everything = numbers(2_500);
    const forwards = everything.filter((n) => n % 9 !== 4);
    const shuffled = forwards.toSorted((one, other) => scatter(one, 2 ** 30) - scatter(other, 2 ** 30));
    for (const place of Object.entries(PLACES)) {
      for (const victims of [forwards, forwards.toReversed(), shuffled, everything]) {
        cancelAndCheck(WasmScheduler, everything.length, victims, place);
      }
    }
  },

  'cancels between partial ticks hit only their task'(WasmScheduler) {
    for (const [place, releaseOf] of Object.entries(PLACES)) {
      const { scheduler, drainAt, tickAt, nextNs } = manual(WasmScheduler, { maxTasksPerTick: 50 });
      const log = [];
      const ids = numbers(1_500).map((n) => scheduler.schedule(() => log.push(n), releaseOf(n)));
      const order = numbers(1_500).sort(byRelease(releaseOf));
      tickAt(2 ** 50);
      tickAt(2 ** 50);
      const victims = order.slice(100).filter((n) => n % 5 < 3);
      victims.forEach((victim) => same(scheduler.cancel(ids[victim]), true, place));
      const left = order.filter((n) => !victims.includes(n));
      same(nextNs(), releaseOf(left[100]), place);
      drainAt(2 ** 50);
      same(log, left, place);
      scheduler.free();
    }
  },

  'a task that has run or was cancelled cannot be cancelled'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const ran = scheduler.schedule(() => {}, 0);
    const cancelled = scheduler.schedule(() => {}, 9);
    tickAt(0);
    const answers = [ran, cancelled, cancelled].map((id) => scheduler.cancel(id));
    same([answers, scheduler.get_metrics().cancelled], [[false, true, false], 1]);
  },

  'a stale id never names the next task of its slot'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler, { capacity: 1 });
    const log = [];
    const stale = new Set();
    let now = 0;
    for (let round = 0; round < 200; round++) {
      const id = scheduler.schedule(() => log.push(round), 1);
      stale.forEach((old) => same(scheduler.cancel(old), false));
      stale.add(id);
      // The slot becomes free by running and by cancelling in turn.
      now += round % 2;
      tickAt(now);
      same(scheduler.cancel(id), round % 2 === 0);
    }
    same([log, stale.size], [numbers(200).filter((n) => n % 2 === 1), 200]);
  },

  'a reused slot does not run at the release of the cancelled task'(WasmScheduler) {
    for (const [old, next] of [[10, 500], [500, 10], [2 ** 30, 2 ** 50], [2 ** 50, 2 ** 30]]) {
      const { scheduler, tickAt } = manual(WasmScheduler);
      const log = [];
      scheduler.schedule(() => log.push('stays'), old);
      scheduler.cancel(scheduler.schedule(() => log.push('old'), old));
      scheduler.schedule(() => log.push('new'), next);
      same([tickAt(Math.min(old, next)), log], [1, [old < next ? 'stays' : 'new']]);
    }
  },

  'any number is a safe id'(WasmScheduler) {
    const { scheduler } = manual(WasmScheduler);
    const live = scheduler.schedule(() => {}, 9);
    const forged = numbers(20_000).map((n) => scatter(n, 2 ** 53));
    const near = numbers(53).map((bit) => live + 2 ** bit);
    for (const id of [...forged, ...near, 0, 1, 2 ** 21, Number.MAX_SAFE_INTEGER, -live]) {
      if (id !== live) same(scheduler.cancel(id), false, id);
    }
    same(scheduler.cancel(live), true);
  },

  'a running one-shot cannot cancel itself'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const log = [];
    const id = scheduler.schedule(() => log.push(scheduler.cancel(id)), 0);
    tickAt(0);
    same([log, scheduler.get_metrics().cancelled], [[false], 0]);
  },

  'a periodic task that cancels itself ends with its job'(WasmScheduler) {
    const { scheduler, tickAt, nextNs } = manual(WasmScheduler, { missedTick: 'burst' });
    const log = [];
    const id = scheduler.schedulePeriodic(() => {
      if (log.push('job') < 3) return;
      same([scheduler.cancel(id), scheduler.cancel(id)], [true, false]);
      // The slot is free, and may be another's while this function still runs.
      scheduler.schedule(() => log.push('child'), 0);
    }, 10);
    same([tickAt(1_000), log], [4, ['job', 'job', 'job', 'child']]);
    same([scheduler.pending, nextNs()], [0, undefined]);
  },

  'a task may cancel a sibling of the same tick'(WasmScheduler) {
    for (const canceller of numbers(6)) {
      for (const victim of numbers(6)) {
        const { scheduler, tickAt } = manual(WasmScheduler);
        const log = [];
        let answer;
        const ids = numbers(6).map((n) =>
          scheduler.schedule(() => {
            log.push(n);
            if (n === canceller) answer = scheduler.cancel(ids[victim]);
          }, 100_000),
        );
        tickAt(100_000);
        const hasRun = victim <= canceller;
        same([log, answer], [numbers(6).filter((n) => n !== victim || hasRun), !hasRun]);
        scheduler.free();
      }
    }
  },

  'cancelled tasks leave no garbage'(WasmScheduler) {
    const { scheduler, tickAt } = manual(WasmScheduler);
    const cycle = (round) => {
      numbers(1_000)
        .map((n) => scatter(n + round * 1_000, 2 ** (20 + (round % 20))))
        .map((delay) => scheduler.schedule(() => {}, delay))
        .forEach((id) => scheduler.cancel(id));
      tickAt(round * 1_000);
      return scheduler.get_metrics().memory_bytes;
    };
    const [, warm, end] = [20, 20, 80].map((rounds, part) =>
      numbers(rounds).map((n) => cycle(part * 20 + n)).at(-1),
    );
    same([end < warm * 1.1, scheduler.pending], [true, 0], `${warm} bytes, then ${end}`);
  },

  'a survivor does not keep its cancelled neighbours'(WasmScheduler) {
    for (const distance of [10, 1_000_000, 2 ** 40]) {
      const { scheduler } = manual(WasmScheduler);
      for (const end of [0, 50]) scheduler.schedule(() => {}, distance + end);
      for (let n = 0; n < 20_000; n++) scheduler.cancel(scheduler.schedule(() => {}, distance + (n % 50)));
      const { memory_bytes, pending } = scheduler.get_metrics();
      same([memory_bytes < 200_000, pending], [true, 2], `${memory_bytes} bytes, ${distance} ns ahead`);
    }
  },

  'a task that is replaced again and again leaves no garbage'(WasmScheduler) {
    for (const distance of [10, 1_000_000, 2 ** 40]) {
      const { scheduler } = manual(WasmScheduler);
      let current = scheduler.schedule(() => {}, distance);
      for (let n = 0; n < 20_000; n++) {
        const next = scheduler.schedule(() => {}, distance + (n % 2));
        scheduler.cancel(current);
        current = next;
      }
      const { memory_bytes, pending } = scheduler.get_metrics();
      same([memory_bytes < 200_000, pending], [true, 1], `${memory_bytes} bytes, ${distance} ns ahead`);
    }
  },
};
