// All cases: a name, and a function of the class that throws if something is wrong.

import callbacks from './callbacks.js';
import cancel from './cancel.js';
import ordering from './ordering.js';
import periodic from './periodic.js';
import surface from './surface.js';

export const cases = Object.entries({ ordering, cancel, periodic, callbacks, surface }).flatMap(
  ([group, members]) => Object.entries(members).map(([name, run]) => [`${group}: ${name}`, run]),
);
