//! The consul target.
