//! Test results as JUnit writes them, which every CI reads.

use std::fmt::Write as _;

use super::table::printable;

/// The tests of one file.
#[derive(Debug)]
pub(crate) struct Suite {
    /// The file.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) cases: Vec<Case>,
}

/// One test.
#[derive(Debug)]
pub(crate) struct Case {
    /// What is tested.
    pub(crate) name: String,
    /// Why it failed, if it did.
    pub(crate) failures: Vec<CaseFailure>,
    /// What is worth reading although it passed.
    pub(crate) notes: Vec<String>,
}

/// One reason.
#[derive(Debug)]
pub(crate) struct CaseFailure {
    /// A stable word.
    pub(crate) code: String,
    /// What is wrong, with its place.
    pub(crate) message: String,
}

/// The whole document.
pub(crate) fn write(suites: &[Suite]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures) = suites.iter().fold((0, 0), |(tests, failures), suite| {
        (tests + suite.cases.len(), failures + suite.failed())
    });
    _ = writeln!(
        out,
        "<testsuites name=\"cfgctl validate\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">"
    );
    for suite in suites {
        suite.write(&mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

impl Suite {
    fn failed(&self) -> usize {
        let failed = |case: &&Case| !case.failures.is_empty();
        self.cases.iter().filter(failed).count()
    }

    fn write(&self, out: &mut String) {
        let name = escaped(&self.name);
        _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"0\">",
            self.cases.len(),
            self.failed()
        );
        for case in &self.cases {
            case.write(&name, out);
        }
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, file: &str, out: &mut String) {
        let name = escaped(&self.name);
        _ = write!(
            out,
            "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" time=\"0\""
        );
        if self.failures.is_empty() && self.notes.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push_str(">\n");
        // Not every reader takes more than one failure for a test.
        if let Some(first) = self.failures.first() {
            let more = self.failures.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            let texts: Vec<_> = self.failures.iter().map(|f| f.message.as_str()).collect();
            _ = writeln!(
                out,
                "      <failure type=\"{}\" message=\"{}{more}\">{}</failure>",
                escaped(&first.code),
                escaped(first.message.lines().next().unwrap_or_default()),
                escaped(&texts.join("\n"))
            );
        }
        if !self.notes.is_empty() {
            let notes = escaped(&self.notes.join("\n"));
            _ = writeln!(out, "      <system-out>{notes}</system-out>");
        }
        out.push_str("    </testcase>\n");
    }
}

/// Text for an attribute or an element. Characters that XML 1.0 cannot carry are made visible.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    for c in lines.join("\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // In an attribute a bare one would be read as a space.
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => _ = write!(out, "{}", c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_file_is_a_suite_and_every_resource_a_test() {
        let suites = [Suite {
            name: "config/a&b.yaml".to_owned(),
            cases: vec![
                Case {
                    name: "set/checkout".to_owned(),
                    failures: vec![
                        CaseFailure {
                            code: "schema".to_owned(),
                            message: "config/a&b.yaml:3:5: \"x\" < 5".to_owned(),
                        },
                        CaseFailure {
                            code: "schema".to_owned(),
                            message: "config/a&b.yaml:4:5: ]]>".to_owned(),
                        },
                    ],
                    notes: Vec::new(),
                },
                Case {
                    name: "cluster/eu".to_owned(),
                    failures: Vec::new(),
                    notes: Vec::new(),
                },
            ],
        }];
        insta::assert_snapshot!(write(&suites), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="cfgctl validate" tests="2" failures="1" errors="0" time="0">
          <testsuite name="config/a&amp;b.yaml" tests="2" failures="1" errors="0" skipped="0" time="0">
            <testcase name="set/checkout" classname="config/a&amp;b.yaml" file="config/a&amp;b.yaml" time="0">
              <failure type="schema" message="config/a&amp;b.yaml:3:5: &quot;x&quot; &lt; 5 (and 1 more)">config/a&amp;b.yaml:3:5: &quot;x&quot; &lt; 5&#10;config/a&amp;b.yaml:4:5: ]]&gt;</failure>
            </testcase>
            <testcase name="cluster/eu" classname="config/a&amp;b.yaml" file="config/a&amp;b.yaml" time="0"/>
          </testsuite>
        </testsuites>
        "#);
    }

    proptest! {
        #[test]
        fn no_text_is_more_than_text(text in any::<String>()) {
            let shown = escaped(&text);
            let forbidden = ['<', '>', '"', '\'', '\u{fffe}', '\u{ffff}'];
            let is_allowed = shown.chars().all(|c| !c.is_control() && !forbidden.contains(&c));
            prop_assert!(is_allowed, "{}", shown);
            for part in shown.split('&').skip(1) {
                let entity = part.split(';').next().unwrap();
                prop_assert!(["amp", "lt", "gt", "quot", "apos", "#10"].contains(&entity));
            }
        }
    }
}
