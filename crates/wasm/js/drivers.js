// Drivers: what ticks a scheduler by itself. Each starts on construction and ends with stop();
// scheduled() tells it that there is a new task.

import { checkObject, toChoice, toPeriodMs } from './arguments.js';

/** Within this of the next release the message channel turns; before, a timer sleeps. */
const TURNING_MS = 10;

/** The longest delay of setTimeout; a longer one would fire at once. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

class IntervalDriver {
  static needs = 'setInterval';

  constructor(scheduler, periodMs) {
    this.timer = setInterval(() => scheduler.tick(), periodMs);
  }

  scheduled() {}

  stop() {
    clearInterval(this.timer);
  }
}

class AnimationFrameDriver {
  static needs = 'requestAnimationFrame';

  constructor(scheduler) {
    const frame = () => {
      this.request = requestAnimationFrame(frame); // First: a callback may throw, or stop us.
      scheduler.tick();
    };
    this.request = requestAnimationFrame(frame);
  }

  scheduled() {}

  stop() {
    cancelAnimationFrame(this.request);
  }
}

/** Turns as fast as messages go while a release is near, and sleeps while none is. */
class MessageChannelDriver {
  static needs = 'MessageChannel';

  constructor(scheduler) {
    this.scheduler = scheduler;
    const { port1, port2 } = new MessageChannel();
    this.ports = [port1, port2];
    port1.onmessage = () => {
      try {
        scheduler.tick();
      } finally {
        this.next();
      }
    };
    this.next();
  }

  next() {
    this.sleep = undefined;
    if (this.isStopped) return;
    const release = this.scheduler.nextReleaseMs();
    if (release === undefined) {
      this.isIdle = true;
      return;
    }
    this.isIdle = false;
    const ms = release - performance.now() - TURNING_MS;
    if (ms > 0) {
      this.sleep = setTimeout(() => this.next(), Math.min(ms, LONGEST_SLEEP_MS));
    } else {
      this.ports[1].postMessage(0);
    }
  }

  scheduled() {
    if (this.sleep === undefined && !this.isIdle) return; // A message is on its way.
    clearTimeout(this.sleep);
    this.next();
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.sleep);
    this.ports.forEach((port) => port.close());
  }
}

/** An interval in a worker, which browsers do not slow down in background tabs. */
class WorkerDriver {
  static needs = 'Worker';

  constructor(scheduler, periodMs) {
    const worker = new Worker(new URL('./ticker.js', import.meta.url), { type: 'module' });
    worker.onmessage = () => {
      try {
        scheduler.tick();
      } finally {
        worker.postMessage({}); // It waits for that, so that no ticks pile up.
      }
    };
    worker.onerror = () => {
      scheduler.stop();
      throw new Error("options.driver 'worker' cannot load its script, ticker.js, or is not allowed to");
    };
    worker.postMessage({ periodMs });
    this.worker = worker;
  }

  scheduled() {}

  stop() {
    this.worker.onmessage = null;
    this.worker.terminate();
  }
}

const DRIVERS = {
  interval: IntervalDriver,
  'animation-frame': AnimationFrameDriver,
  'message-channel': MessageChannelDriver,
  worker: WorkerDriver,
};

export function startDriver(scheduler, options = {}) {
  const { driver = 'interval', periodMs = 4 } = checkObject(options, 'options', [
    'driver',
    'periodMs',
  ]);
  toChoice(driver, 'options.driver', Object.keys(DRIVERS));
  const period = toPeriodMs(periodMs, 'options.periodMs');
  const Driver = DRIVERS[driver];
  if (typeof globalThis[Driver.needs] !== 'function') {
    throw new Error(`options.driver '${driver}' needs ${Driver.needs}, which is not to be had here`);
  }
  return new Driver(scheduler, period);
}
