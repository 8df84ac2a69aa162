import { driversThatTick } from './drivers.js';

driversThatTick().then(postMessage);
