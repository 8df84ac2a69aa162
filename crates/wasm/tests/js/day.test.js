// Hazard: memory that grows with time, and the night that a computer sleeps. HOURS of virtual time,
// 24 unless told.

import assert from 'node:assert/strict';
import test from 'node:test';

import { WasmScheduler } from 'nanosecond-scheduler';

import { numbers, scatter } from './conformance/check.js';

const HOURS = Number(process.env.HOURS ?? 24);
const SECOND_NS = 1e9;
const TIMERS = 10_000;

test(`${HOURS} hours with ${TIMERS} live timers take no more memory than the first`, () => {
  const scheduler = new WasmScheduler({ maxTasksPerTick: 1_000_000 });
  scheduler.tickAt(0);
  let jobs = 0;
  // Nine of ten repeat, each with a period of its own; the others are replaced when they run, and a
  // timeout that is put off goes with each.
  const timeouts = numbers(TIMERS / 10).map(() => scheduler.schedule(() => {}, 3600 * SECOND_NS));
  const once = (n) => {
    jobs++;
    assert.ok(scheduler.cancel(timeouts[n]));
    timeouts[n] = scheduler.schedule(() => {}, 3600 * SECOND_NS);
    scheduler.schedule(() => once(n), (60 + scatter(jobs, 600)) * SECOND_NS);
  };
  timeouts.forEach((_, n) => once(n));
  numbers(TIMERS * 0.8).forEach((n) =>
    scheduler.schedulePeriodic(() => jobs++, (20 + scatter(n, 600)) * SECOND_NS),
  );
  const sizes = [];
  for (let second = 1; second <= HOURS * 3600; second++) {
    scheduler.tickAt(second * 1000);
    if (second % 3600 === 0) {
      assert.equal(scheduler.pending, TIMERS);
      sizes.push(scheduler.get_metrics().memory_bytes);
    }
  }
  assert.ok(jobs > HOURS * TIMERS, `${jobs} jobs`);
  assert.ok(sizes.at(-1) <= sizes[0] * 1.25, `bytes by the hour: ${sizes}`);
  scheduler.free();
});

test('what a job frees is reclaimed by the garbage collector, and so is what a cancel frees', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const scheduler = new WasmScheduler();
  scheduler.tickAt(0);
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  const schedule = (delayNs) => {
    const ballast = {};
    registry.register(ballast, 0);
    return scheduler.schedule(() => ballast, delayNs);
  };
  for (let n = 0; n < 100; n++) schedule(1);
  numbers(100).map(() => schedule(1e9)).forEach((id) => scheduler.cancel(id));
  scheduler.tickAt(1);
  for (let turn = 0; turn < 20 && collected < 200; turn++) {
    collect();
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(collected, 200);
  scheduler.free();
});

for (const sleepHours of [8, 24 * 365]) {
  test(`after ${sleepHours} hours of sleep each periodic task runs once, in phase`, () => {
    const scheduler = new WasmScheduler({ maxTasksPerTick: TIMERS });
    scheduler.tickAt(0);
    const runs = new Array(TIMERS).fill(0);
    const period = (n) => 16_000_003 + n * 1_000;
    runs.forEach((_, n) => scheduler.schedulePeriodic(() => runs[n]++, period(n)));
    const wake = sleepHours * 3600 * SECOND_NS;
    assert.equal(scheduler.tickAt(wake / 1e6), TIMERS);
    assert.deepEqual(new Set(runs), new Set([1]));
    const next = Math.min(...runs.map((_, n) => (Math.floor(wake / period(n)) + 1) * period(n)));
    assert.equal(Math.round(scheduler.nextReleaseMs() * 1e6), next);
    scheduler.free();
  });
}
