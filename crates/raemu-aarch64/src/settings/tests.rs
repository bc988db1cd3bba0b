//! Options and environment, as data.
