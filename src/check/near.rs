//! "Did you mean".

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: more, and the guess is worse than none.
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|known| *known != word)
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// The help line for a guess.
pub(super) fn did_you_mean(guess: &str) -> String {
    format!("did you mean `{guess}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_a_guess() {
        let known = ["timeoutMs", "provider", "url"];
        assert_eq!(nearest("timeoutMS", known), Some("timeoutMs"));
        assert_eq!(nearest("porvider", known), Some("provider"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("retries", known), None);
        assert_eq!(nearest("", known), None);
    }
}
