// Checks of what users pass. Every error names the argument, what was given and what is allowed.

const PRIORITIES = ['critical', 'high', 'normal', 'low'];
const MISSED_TICKS = ['burst', 'delay', 'skip'];
const NS_END = 1n << 64n;
/** The ms that holds the last ns. */
export const LAST_MS = 18_446_744_073_710;

/** The deadline of what has none. */
export const NEVER = NS_END - 1n;

export const NORMAL = PRIORITIES.indexOf('normal');

const shown = (value) => (typeof value === 'bigint' ? `${value}n` : String(value));

const notA = (name, wanted, value) =>
  new TypeError(`${name} must be ${wanted}, not ${value === null ? 'null' : typeof value}`);

const outOf = (name, bounds, value) =>
  new RangeError(`${name} is ${shown(value)}; it must be ${bounds}`);

export function checkFunction(value, name) {
  if (typeof value !== 'function') throw notA(name, 'a function', value);
}

/** Whether a value is a Number of ns that crosses as it is. */
export const isPlainNs = (value) =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** Time in ns as a BigInt. A fraction of a ns is dropped. */
export function toNs(value, name, least = 0n) {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw notA(name, 'a Number or a BigInt of ns', value);
  }
  if (typeof value === 'number' && !isPlainNs(value)) {
    throw outOf(name, 'from 0 to 2^53 - 1, or a BigInt', value);
  }
  const ns = typeof value === 'bigint' ? value : BigInt(Math.floor(value));
  if (ns < least || ns >= NS_END) throw outOf(name, `from ${least} to 2^64 - 1`, value);
  return ns;
}

export function toMs(value, name) {
  if (typeof value !== 'number') throw notA(name, 'a Number of ms', value);
  if (!(value >= 0 && value <= LAST_MS)) throw outOf(name, 'from 0 to 2^64 ns, in ms', value);
  return value;
}

/** The period of a timer, which takes no more. */
export function toPeriodMs(value, name) {
  if (toMs(value, name) > 2 ** 31 - 1) throw outOf(name, 'at most 2^31 - 1', value);
  return value;
}

export function checkId(value) {
  if (typeof value !== 'number') throw notA('id', 'a Number that schedule() returned', value);
  if (!Number.isSafeInteger(value)) throw outOf('id', 'a Number that schedule() returned', value);
}

export function checkObject(value, name, known) {
  if (typeof value !== 'object' || value === null) throw notA(name, 'an object', value);
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new TypeError(`${name}.${stranger} is unknown; known: ${known}`);
  return value;
}

/** The place of a string among those allowed. */
export function toChoice(value, name, choices) {
  if (typeof value !== 'string') throw notA(name, 'a string', value);
  const place = choices.indexOf(value);
  if (place < 0) throw outOf(name, `one of ${choices.join(', ')}`, `'${value}'`);
  return place;
}

function toInteger(value, name, least, most) {
  if (typeof value !== 'number') throw notA(name, 'a Number', value);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOf(name, `an integer from ${least} to ${most}`, value);
  }
  return value;
}

/** The options of a task. What is undefined counts as absent. */
export function toOptions(options = {}, known) {
  const { priority, deadlineNs, name, delayNs, missedTick } = checkObject(options, 'options', known);
  if (name !== undefined && typeof name !== 'string') throw notA('options.name', 'a string', name);
  return {
    name,
    priority: priority === undefined ? NORMAL : toChoice(priority, 'options.priority', PRIORITIES),
    deadlineNs: deadlineNs === undefined ? NEVER : toNs(deadlineNs, 'options.deadlineNs'),
    delayNs: delayNs === undefined ? undefined : toNs(delayNs, 'options.delayNs'),
    missedTick:
      missedTick === undefined
        ? undefined
        : toChoice(missedTick, 'options.missedTick', MISSED_TICKS),
  };
}

const CONFIG = {
  capacity: 2 ** 20,
  maxTasksPerTick: 1024,
  missedTick: 'skip',
  strangeLoop: true,
  lipschitzConstant: 0.9,
  windowSize: 64,
  windows: undefined,
};

/** The configuration as the module reads it. */
export function toSettings(config = {}) {
  const given = { ...CONFIG };
  for (const [key, value] of Object.entries(checkObject(config, 'config', Object.keys(CONFIG)))) {
    if (value !== undefined) given[key] = value;
  }
  const { strangeLoop, lipschitzConstant: k } = given;
  if (typeof strangeLoop !== 'boolean') throw notA('config.strangeLoop', 'a boolean', strangeLoop);
  if (typeof k !== 'number') throw notA('config.lipschitzConstant', 'a Number', k);
  if (!(k >= 0 && k < 1)) throw outOf('config.lipschitzConstant', 'at least 0 and below 1', k);
  return {
    // A task's number has 21 bits for its slot.
    capacity: toInteger(given.capacity, 'config.capacity', 1, 2 ** 21),
    maxTasksPerTick: toInteger(given.maxTasksPerTick, 'config.maxTasksPerTick', 1, 2 ** 31 - 1),
    missedTick: toChoice(given.missedTick, 'config.missedTick', MISSED_TICKS),
    strangeLoop,
    lipschitzConstant: k,
    windowSize: toInteger(given.windowSize, 'config.windowSize', 1, 2 ** 20),
    ...toWindows(given.windows),
  };
}

function toWindows(windows) {
  if (windows === undefined) return { lengthNs: 0n, hopNs: 0n, offsetNs: 0n };
  const { lengthNs, hopNs, offsetNs = 0 } = checkObject(windows, 'config.windows', [
    'lengthNs',
    'hopNs',
    'offsetNs',
  ]);
  return {
    lengthNs: toNs(lengthNs, 'config.windows.lengthNs', 1n),
    hopNs: toNs(hopNs, 'config.windows.hopNs', 1n),
    offsetNs: toNs(offsetNs, 'config.windows.offsetNs'),
  };
}
