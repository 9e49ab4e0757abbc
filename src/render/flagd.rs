//! The flag file that flagd reads.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::{Flag, FlagName, value};

/// flagd's schema of a flag file; see <https://flagd.dev/reference/schema/>.
const SCHEMA: &str = "https://flagd.dev/schema/v0/flags.json";

/// The flag file with these flags.
pub(crate) fn file(flags: &BTreeMap<FlagName, Flag>) -> Vec<u8> {
    value::canonical(&json!({
        "$schema": SCHEMA,
        "flags": flags,
    }))
}
