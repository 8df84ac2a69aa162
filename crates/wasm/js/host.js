// What the module asks of JavaScript: the time, and to run the functions it cannot hold.

const { performance } = globalThis;

export const now =
  typeof performance?.now === 'function' ? () => performance.now() : () => Date.now();

/** A task's number is its slot's generation, then 21 bits of slot: see src/lib.rs. */
const SLOTS = 2 ** 21;

const toId = (slot, generation) => (generation >>> 0) * SLOTS + slot;

export const slotOf = (id) => id - Math.floor(id / SLOTS) * SLOTS;

export class Host {
  /** By slot. A function stays in its slot until the next one takes it, if it is not cancelled. */
  functions = [];
  /** By slot, for those that have one; stale after the task's end. */
  names = [];
  /** The job that ran last. What it scheduled may have its slot by now, with another name. */
  ranId = -1;
  ranName = undefined;
  onError = undefined;
  /** Whether the tick leaves something to do. */
  isUnsettled = false;
  errors = [];
  misses = [];

  keep(slot, fn, name) {
    this.functions[slot] = fn;
    if (name !== undefined || slot < this.names.length) this.names[slot] = name;
  }

  runOnce(slot, generation) {
    const fn = this.functions[slot];
    const name = this.names[slot];
    this.functions[slot] = undefined;
    try {
      fn();
    } catch (error) {
      this.#failed(error, toId(slot, generation), name);
    }
    if (name !== undefined || this.names.length !== 0) this.#note(slot, generation, name);
  }

  runAgain(slot, generation) {
    const fn = this.functions[slot];
    const name = this.names[slot];
    try {
      fn();
    } catch (error) {
      this.#failed(error, toId(slot, generation), name);
    }
    if (name !== undefined || this.names.length !== 0) this.#note(slot, generation, name);
  }

  #note(slot, generation, name) {
    this.ranId = toId(slot, generation);
    this.ranName = name;
  }

  /** A job has ended late, or is about to start late. */
  missed(id, expectedMs, actualMs) {
    const name = id === this.ranId ? this.ranName : this.names[slotOf(id)];
    this.misses.push({ id, name, expectedMs, actualMs });
    this.isUnsettled = true;
  }

  #failed(error, id, name) {
    if (this.onError === undefined) return this.rethrowLater(error);
    try {
      this.onError(error, { id, name });
    } catch (another) {
      this.rethrowLater(another);
    }
  }

  rethrowLater(error) {
    this.errors.push(error);
    this.isUnsettled = true;
  }

  clear() {
    this.functions = [];
    this.names = [];
  }
}

/** By their numbers, those of the schedulers. */
const hosts = [];

/** Has a scheduler's functions run by a host; by none when it has been freed. */
export function attach(scheduler, host) {
  hosts[scheduler] = host;
}

export const runOnce = (scheduler, slot, generation) => hosts[scheduler].runOnce(slot, generation);

export const runAgain = (scheduler, slot, generation) => hosts[scheduler].runAgain(slot, generation);

export const missed = (scheduler, ...miss) => hosts[scheduler].missed(...miss);

const figures = [];

export const figure = (value) => void figures.push(value);

/** The figures of the report that the module was asked for. */
export const takeFigures = () => figures.splice(0);
