//! Schedulability tests: do a set of tasks keep all their deadlines?
