// What the module asks of JavaScript: the time, and to run the functions it cannot hold.

const { performance } = globalThis;

const now =
  typeof performance?.now === 'function' ? () => performance.now() : () => Date.now();

/** A task's number is its slot's generation, then 21 bits of slot: see src/lib.rs. */
const SLOTS = 2 ** 21;

export const slotOf = (id) => id - Math.floor(id / SLOTS) * SLOTS;

export class Host {
  /** By slot. A function stays in its slot until the next one takes it, if it is not cancelled. */
  functions = [];
  /** By slot, for those that have one; stale after the task's end. */
  names = [];
  onError = undefined;
  /** Whether the tick leaves something to do. */
  isUnsettled = false;
  errors = [];
  misses = [];

  now() {
    return now();
  }

  keep(slot, fn, name) {
    this.functions[slot] = fn;
    if (name !== undefined || slot < this.names.length) this.names[slot] = name;
  }

  runOnce(slot, generation) {
    const fn = this.functions[slot];
    this.functions[slot] = undefined;
    try {
      fn();
    } catch (error) {
      this.#failed(error, slot, generation, this.names[slot]);
    }
  }

  runAgain(slot, generation) {
    const fn = this.functions[slot];
    const name = this.names[slot];
    try {
      fn();
    } catch (error) {
      this.#failed(error, slot, generation, name);
    }
  }

  missed(id, expectedMs, actualMs) {
    this.misses.push({ id, name: this.names[slotOf(id)], expectedMs, actualMs });
    this.isUnsettled = true;
  }

  #failed(error, slot, generation, name) {
    if (this.onError === undefined) return this.rethrowLater(error);
    try {
      this.onError(error, { id: generation * SLOTS + slot, name });
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
