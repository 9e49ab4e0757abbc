//! The event stream: how a server tells what happens, and ends with the answer.
//!
//! What is read is what the HTML standard calls `text/event-stream`, as far as it is needed: fields
//! `event` and `data`, comments, lines that end in LF or CRLF.

/// The longest line, and the most data of one frame, in bytes: an outcome for many clusters.
const MAX_BYTES: usize = 64 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// Something happened.
    Event,
    /// The answer, which is the last frame.
    Report,
    /// The error, which is the last frame.
    Problem,
}

impl Name {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Report => "report",
            Self::Problem => "problem",
        }
    }

    fn read(word: &[u8]) -> Option<Self> {
        let mut all = [Self::Event, Self::Report, Self::Problem].into_iter();
        all.find(|name| name.as_str().as_bytes() == word)
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) name: Name,
    pub(crate) data: Vec<u8>,
}

/// A stream that is none that a server of ours sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// It would take all memory.
    #[error("a line or event has more than {MAX_BYTES} bytes")]
    TooLong,
}

/// Frames out of the pieces in which they arrive.
#[derive(Debug, Default)]
pub(crate) struct EventStream {
    /// The line that has not ended.
    line: Vec<u8>,
    name: Option<Name>,
    data: Vec<u8>,
}

impl EventStream {
    /// The frames that end in `piece`. Those of names that nobody knows are left out.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<Frame>, FrameError> {
        let mut frames = Vec::new();
        let mut lines = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            if self.line.len() + part.len() > MAX_BYTES {
                return Err(FrameError::TooLong);
            }
            self.line.extend_from_slice(part);
            // The last part has no end yet.
            if lines.peek().is_some() {
                let line = std::mem::take(&mut self.line);
                frames.extend(self.line(&line)?);
            }
        }
        Ok(frames)
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Frame>, FrameError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok(self.name.take().map(|name| Frame { name, data }));
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = Name::read(value),
            b"data" => {
                if self.data.len() + value.len() > MAX_BYTES {
                    return Err(FrameError::TooLong);
                }
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            // Comments, and what we do not know.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ": hello\nevent: event\ndata: {\"a\":1}\n\n:\n\nevent:problem\r\ndata: x\r\n\
                        data: y\r\n\r\nevent: other\ndata: z\n\nevent: report\nid: 3\ndata: {}\n\n";

    fn frame(name: Name, data: &str) -> Frame {
        let data = data.as_bytes().to_vec();
        Frame { name, data }
    }

    #[test]
    fn frames_are_the_same_in_whatever_pieces_they_arrive() {
        let expected = [
            frame(Name::Event, r#"{"a":1}"#),
            frame(Name::Problem, "x\ny"),
            frame(Name::Report, "{}"),
        ];
        for size in 1..TEXT.len() {
            let mut stream = EventStream::default();
            let pieces = TEXT.as_bytes().chunks(size);
            let frames: Vec<_> = pieces.flat_map(|it| stream.push(it).unwrap()).collect();
            assert_eq!(frames, expected, "pieces of {size}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let mut stream = EventStream::default();
        let piece = vec![b'x'; MAX_BYTES / 2];
        assert!(stream.push(&piece).unwrap().is_empty());
        assert!(stream.push(&piece).unwrap().is_empty());
        assert_eq!(stream.push(b"x"), Err(FrameError::TooLong));

        let mut stream = EventStream::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        assert!(stream.push(&line).unwrap().is_empty());
        assert!(stream.push(&line).unwrap().is_empty());
        assert_eq!(stream.push(&line), Err(FrameError::TooLong));
    }
}
