//! Text that `java.util.Properties.load` reads back exactly, from bytes in ISO-8859-1.

use std::fmt::Write as _;

use super::flat::Property;

/// One line per property, in ASCII.
pub(super) fn to_string(properties: &[Property<'_>]) -> String {
    let mut text = String::new();
    for property in properties {
        escape(&property.name, Spaces::All, &mut text);
        text.push('=');
        escape(&property.text(), Spaces::Leading, &mut text);
        text.push('\n');
    }
    text
}

/// Which spaces the reader would take for something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    /// In a key, where the first one ends it.
    All,
    /// In a value, where those before the text are dropped.
    Leading,
}

fn escape(text: &str, spaces: Spaces, out: &mut String) {
    let mut leading = true;
    for character in text.chars() {
        match character {
            ' ' if spaces == Spaces::All || leading => out.push_str("\\ "),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\\' | ':' | '=' | '#' | '!' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            _ => {
                // A character beyond the first plane is two `char`s in Java.
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
        leading = leading && character == ' ';
    }
}
