//! [`LatencyMonitor`]: how well deadlines and releases were kept.
