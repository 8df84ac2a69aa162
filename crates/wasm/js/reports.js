// Names for the module's figures, in the order of src/report.rs.

const METRICS = [
  'elapsed_ns',
  'ticks',
  'idle_ticks',
  'executed',
  'cancelled',
  'missed_deadlines',
  'missed_ticks',
  'pending',
  'memory_bytes',
  'avg_tick_time_ns',
  'min_tick_time_ns',
  'max_tick_time_ns',
  'tasks_per_second',
];

const ESTIMATES = [
  'load',
  'tick_time_ns',
  'interval_ns',
  'dispatch_latency_ns',
  'residual_ns',
  'error_bound_ns',
  'is_converged',
  'observations',
];

const WINDOW = ['startNs', 'endNs', 'jobs', 'meanLatencyNs', 'maxLatencyNs'];

const named = (names, figures, from = 0) =>
  Object.fromEntries(names.map((name, at) => [name, figures[from + at]]));

export const toMetrics = (figures) => named(METRICS, figures);

export function toEstimates(figures) {
  const estimates = named(ESTIMATES, figures);
  return { ...estimates, is_converged: estimates.is_converged === 1 };
}

export const toWindows = (figures) =>
  Array.from({ length: figures.length / WINDOW.length }, (_, at) =>
    named(WINDOW, figures, at * WINDOW.length),
  );
