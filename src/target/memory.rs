//! The memory target.
