/// <reference lib="esnext.disposable" />

/** An instance of a class of the platform; `never` where TypeScript's `lib` does not have it. */
type Instance<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer T }> ? T : never;

/** A compiled module. TypeScript has its type empty, so that a number would do. */
type CompiledModule =
  typeof globalThis extends Record<'WebAssembly', { Module: { prototype: infer T } }> ? T & object : never;

export {}; // What is not marked so stays here.

/** Where the module is, or what it is. */
export type ModuleSource =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Instance<'URL'>
  | Instance<'Request'>
  | Instance<'Response'>
  | CompiledModule;

/**
 * Makes the module ready, once per context. In Node it is ready on import, and this does nothing.
 *
 * @param source the module, or its place, instead of the file that comes with the package.
 */
export default function init(source?: ModuleSource | Promise<ModuleSource>): Promise<void>;

/** Urgency among tasks that are due: `'critical'` runs first. There is no ageing. */
export type Priority = 'critical' | 'high' | 'normal' | 'low';

/**
 * What a periodic task does about periods that passed before it could run, because the tab was in the
 * background or the computer asleep: `'skip'` leaves them out and goes on in phase, `'burst'` catches
 * up with every one, `'delay'` counts the next period from now.
 */
export type MissedTick = 'burst' | 'delay' | 'skip';

/** Time in ns: a whole Number up to 2^53 − 1, whose fraction is dropped, or a BigInt below 2^64. */
export type Nanoseconds = number | bigint;

/** A task. It is never that of another task of the same scheduler. */
export type TaskId = number;

/** Overlapping intervals of time in which jobs are counted. */
export interface WindowsConfig {
  /** From a window's start to its end; at least 1. */
  lengthNs: Nanoseconds;
  /** From a window's start to the next one's; at least 1. */
  hopNs: Nanoseconds;
  /** When window 0 starts. Default 0. */
  offsetNs?: Nanoseconds;
}

export interface Config {
  /** Tasks that may be pending, 1 to 2^21. Default 2^20. Memory grows as they come. */
  capacity?: number;
  /** Jobs that one tick runs at most; the rest stay due. 1 to 2^31 − 1, default 1,024. */
  maxTasksPerTick?: number;
  /** For periodic tasks that do not say. Default `'skip'`. */
  missedTick?: MissedTick;
  /** Whether the scheduler observes its load. Default `true`. */
  strangeLoop?: boolean;
  /** How steady, and so how slow, the load's estimate is, 0 ≤ k < 1. Default 0.9. */
  lipschitzConstant?: number;
  /** Windows kept, and how many may be open at a time, 1 to 2^20. Default 64. */
  windowSize?: number;
  /** Default: no windows. */
  windows?: WindowsConfig;
}

export interface TaskOptions {
  /** Default `'normal'`. */
  priority?: Priority;
  /** How long after its release a job should have ended. One that has not still runs, and is told. */
  deadlineNs?: Nanoseconds;
  /** For what is told of the task. */
  name?: string;
}

export interface PeriodicOptions extends TaskOptions {
  /** When the first job is released, from now. Default: after one period. */
  delayNs?: Nanoseconds;
  /** Default: as configured. */
  missedTick?: MissedTick;
}

/** A deadline that was missed, in ms of the scheduler's time. */
export interface DeadlineMiss {
  id: TaskId;
  name: string | undefined;
  /** The deadline. */
  expectedMs: number;
  /** When the job ended, or when it was seen to be late before it started. */
  actualMs: number;
}

/** Whose callback threw. */
export interface FailedTask {
  id: TaskId;
  name: string | undefined;
}

/** What has been counted since the scheduler was made. Names are those of the Rust crate. */
export interface Metrics {
  elapsed_ns: number;
  /** Ticks that ran something. */
  ticks: number;
  /** Ticks that found nothing due; they are not timed. */
  idle_ticks: number;
  /** Jobs started. */
  executed: number;
  cancelled: number;
  missed_deadlines: number;
  /** Periods that periodic tasks slept through. */
  missed_ticks: number;
  pending: number;
  memory_bytes: number;
  avg_tick_time_ns: number;
  min_tick_time_ns: number;
  max_tick_time_ns: number;
  tasks_per_second: number;
}

/** What the scheduler has found out about itself; all zero without `strangeLoop`. */
export interface StrangeLoop {
  /** The share of time spent in ticks, 0 to 1. */
  load: number;
  tick_time_ns: number;
  /** From one tick that ran something to the next. */
  interval_ns: number;
  /** From a tick's earliest release to its start. */
  dispatch_latency_ns: number;
  /** How far the last tick moved the three estimates above. */
  residual_ns: number;
  /** At most how far they are from where they are going: k/(1−k) · residual. */
  error_bound_ns: number;
  is_converged: boolean;
  observations: number;
}

/** A window that has closed. */
export interface WindowReport {
  startNs: number;
  endNs: number;
  /** Jobs started in it. */
  jobs: number;
  meanLatencyNs: number;
  maxLatencyNs: number;
}

/** What calls {@link WasmScheduler.tick}. */
export interface StartOptions {
  /**
   * - `'interval'` (default): `setInterval`. Browsers allow 4 ms at best, 1 s in background tabs.
   * - `'animation-frame'`: before each frame; never in background tabs.
   * - `'message-channel'`: within some 10 µs of each release, on a busy core while one is near.
   * - `'worker'`: an interval in a worker, which background tabs do not slow down.
   */
  driver?: 'interval' | 'animation-frame' | 'message-channel' | 'worker';
  /** Time between ticks, of `'interval'` and `'worker'`. Default 4. */
  periodMs?: number;
}

/**
 * Runs functions at their time: whatever is due, the most urgent first, then by release, then in order
 * of submission. Time passes in ticks, which are yours to call, or those of a driver.
 *
 * A callback may schedule and cancel; what it makes due competes in the same tick. It may throw: the
 * others still run, and a periodic task goes on. The error goes to {@link onError}, or is thrown
 * after the tick, several as an `AggregateError`. A promise that it returns is not waited for.
 *
 * Methods throw `TypeError` and `RangeError` with the name of the argument.
 */
export class WasmScheduler {
  constructor(config?: Config);

  /**
   * Runs what is due by `performance.now()`.
   *
   * @returns how many jobs it ran; at most `maxTasksPerTick`.
   */
  tick(): number;

  /**
   * Runs what is due at a time of yours, say the one that `requestAnimationFrame` tells, or a
   * simulation's. Until the next `tick()` it is now, also for `schedule()`, and no time passes in
   * ticks. A time before an earlier one counts as that one.
   *
   * @param nowMs at least 0, and not beyond 2^64 ns, which is 584 years; to the nearest ns.
   */
  tickAt(nowMs: number): number;

  /** Runs `fn` once, `delayNs` from now; within a callback, from the tick's time. */
  schedule(fn: () => void, delayNs: Nanoseconds, options?: TaskOptions): TaskId;

  /** Runs `fn` every `periodNs`: job k is released at first + k · period exactly, without drift. */
  schedulePeriodic(fn: () => void, periodNs: Nanoseconds, options?: PeriodicOptions): TaskId;

  /**
   * Cancels a task, a periodic one also from within its own callback.
   *
   * @returns whether it was pending.
   */
  cancel(id: TaskId): boolean;

  /** Cancels every task. */
  clear(): void;

  /** Number of tasks that have not ended. */
  readonly pending: number;

  /** When the next job is released: `tickAt` of it runs it. In a callback, the other tasks' next. */
  nextReleaseMs(): number | undefined;

  get_metrics(): Metrics;

  /** The mean share of a window that the next one covers, too: (length − hop) / length. */
  temporalOverlap(): number;

  /** The windows closed last, the oldest first. Those without jobs are left out. */
  windows(): WindowReport[];

  /** The estimated load: `strangeLoop().load`. */
  strangeLoopState(): number;

  strangeLoop(): StrangeLoop;

  /** Tells `fn`, after the tick, of each deadline that was missed in it; `undefined` for nobody. */
  onDeadlineMiss(fn: ((miss: DeadlineMiss) => void) | undefined): void;

  /** Tells `fn`, at once, of what a callback threw; `undefined` to have it thrown after the tick. */
  onError(fn: ((error: unknown, task: FailedTask) => void) | undefined): void;

  /** Has a driver tick. Throws if the environment lacks what it needs, or if one is running. */
  start(options?: StartOptions): void;

  /** Ends the driver, if one is running. */
  stop(): void;

  /** Gives the memory back. Nothing is run or told any more, and no other method may be called. */
  free(): void;

  /** `free()`, for `using`. */
  [Symbol.dispose](): void;
}
