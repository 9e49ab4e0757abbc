//! What whoever asks for it may have done.

/// Something that is allowed. There is one place that makes one, which decides who may do what; what
/// carries things out takes nothing else.
#[derive(Debug)]
pub struct Permitted<T>(pub T);

impl<T> Permitted<T> {
    /// What is allowed.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What is allowed, to be carried out.
    pub fn into_inner(self) -> T {
        self.0
    }
}
