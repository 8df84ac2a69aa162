// The package in browsers and workers: the module is fetched when it is first asked for.

import load from './nanosecond_scheduler.js';

export { WasmScheduler } from './scheduler.js';

let loading;

export default function init(source) {
  loading ??= load(source === undefined ? undefined : { module_or_path: source }).catch((error) => {
    loading = undefined; // The next call tries again.
    throw error;
  });
  return loading.then(() => {});
}
