// Compiled by `tsc` against the package's types, with no platform's types beside them, and then run.

import init, {
  WasmScheduler,
  type Config,
  type DeadlineMiss,
  type FailedTask,
  type Metrics,
  type TaskId,
} from 'nanosecond-scheduler';

declare const console: { log(text: string): void };

await init();

const config: Config = { capacity: 16, missedTick: 'burst', windows: { lengthNs: 10, hopNs: 5n } };
const scheduler = new WasmScheduler(config);
scheduler.tickAt(0);

const misses: DeadlineMiss[] = [];
const failed: FailedTask[] = [];
scheduler.onDeadlineMiss((miss) => misses.push(miss));
scheduler.onError((error: unknown, task) => failed.push(task));

let runs = 0;
const once: TaskId = scheduler.schedule(() => runs++, 5n, { priority: 'high', deadlineNs: 1, name: 'once' });
const periodic: TaskId = scheduler.schedulePeriodic(
  () => {
    throw new Error(`run ${++runs}`);
  },
  10,
  { delayNs: 0, missedTick: 'skip' },
);
const executed: number = scheduler.tickAt(0.001);
const next: number | undefined = scheduler.nextReleaseMs();
const metrics: Metrics = scheduler.get_metrics();
const wasPending: boolean = scheduler.cancel(periodic);
const jobs: number = scheduler.windows().reduce((sum, window) => sum + window.jobs, 0);
const loads: number[] = [scheduler.strangeLoopState(), scheduler.strangeLoop().load];

// @ts-expect-error: no such priority
(): TaskId => scheduler.schedule(() => {}, 1, { priority: 'urgent' });
// @ts-expect-error: a time is no text
(): TaskId => scheduler.schedule(() => {}, '1');
// @ts-expect-error: no such driver
(): void => scheduler.start({ driver: 'cron' });
// @ts-expect-error: no such option
(): void => scheduler.start({ period: 4 });
// @ts-expect-error: no such field
(): WasmScheduler => new WasmScheduler({ tickRate: 4 });
// @ts-expect-error: it is counted, not set
(): number => (scheduler.pending = 0);

const seen = [executed, runs, metrics.pending, wasPending, scheduler.cancel(once), misses.length, failed.length];
const expected = [2, 2, 1, true, false, 1, 1];
if (seen.join() !== expected.join() || next === undefined || jobs < 0 || loads[0] !== loads[1]) {
  throw new Error(`${seen} is not ${expected}`);
}
scheduler[Symbol.dispose]();
console.log('types: as declared');
