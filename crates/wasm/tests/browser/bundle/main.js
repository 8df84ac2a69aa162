// A user's page, for a bundler: which drivers tick, and the same in a worker of the user's.

import { driversThatTick } from './drivers.js';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const inWorker = new Promise((done, fail) => {
  worker.onmessage = ({ data }) => done(data);
  worker.onerror = ({ message }) => fail(new Error(message));
});

globalThis.ticked = Promise.all([driversThatTick(), inWorker]);
