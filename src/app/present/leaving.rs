//! What stays in a cluster that is taken off the list, in words.

/// What is told where a cluster or a set comes back.
pub(super) const LEFT_OVER: &str =
    "it was left over there when the cluster or the set was taken away; cfgctl goes on from it";

/// How many of our keys stay; `None`: nobody could look.
pub(super) fn left(keys: Option<usize>) -> String {
    match keys {
        None => "what is there stays there".to_owned(),
        Some(1) => "1 key of ours stays there".to_owned(),
        Some(keys) => format!("{keys} keys of ours stay there"),
    }
}

/// That, and how they are taken away.
pub(super) fn reason(keys: Option<usize>) -> String {
    format!(
        "{}, and cfgctl looks there no more; to take that away later, declare the cluster again \
         and delete it with `--remove-keys`",
        left(keys)
    )
}
