//! [`Trace`]: what happened when, as a ring of events.
