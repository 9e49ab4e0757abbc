//! How much of anything is read before it is refused.

/// The bounds of one load. What lies beyond them is not configuration that a Consul could hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Files, schemas included.
    pub(super) files: usize,
    /// Entries looked at in directories.
    pub(super) entries: usize,
    /// Bytes in one file; text that aliases repeat counts each time.
    pub(super) file_bytes: usize,
    /// Bytes in all files; text that aliases repeat counts each time.
    pub(super) bytes: usize,
    /// Values in one file, after aliases.
    pub(super) file_nodes: usize,
    /// Values in all files, after aliases.
    pub(super) nodes: usize,
    /// Maps and lists, or directories, inside each other. JSON readers stop at 128, and a snapshot adds a few.
    pub(super) depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 10_000,
            entries: 100_000,
            file_bytes: 8 << 20,
            bytes: 64 << 20,
            file_nodes: 200_000,
            nodes: 1_000_000,
            depth: 64,
        }
    }
}

/// What was spent of the values and of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Values.
    pub(super) nodes: usize,
    /// Bytes of text.
    pub(super) bytes: usize,
}

impl Cost {
    /// What was spent since `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_sub(earlier.nodes),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}
