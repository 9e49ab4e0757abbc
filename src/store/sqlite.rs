//! The default store: one SQLite file, no server.
