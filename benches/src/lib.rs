//! Criterion benchmarks of the emulator's parts.
