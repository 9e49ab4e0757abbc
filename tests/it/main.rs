//! The integration tests: real stores, real servers, the real binary.

// Modules are added here as they come: one file each.
