//! The directory target.
