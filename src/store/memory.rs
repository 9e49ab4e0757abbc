//! An in-memory store, for unit tests of pure logic.
