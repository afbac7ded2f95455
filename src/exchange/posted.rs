//! One package over a wire: the description of a manifest's row as one JSON object; its components arrive
//! beside it, in the order in which it names them, if it names them.

use crate::config;
use crate::exchange::{components, describe, given};
use crate::record::{
    digest::Digest,
    finding::{Code, Finding},
    metadata::Metadata,
    package::{Package, Source},
};

/// A description that was read, and the digests that it states for the components to come.
pub struct Posted {
    pub package: Package,
    pub expected: Vec<Option<Digest>>,
}

/// Reads a description. What is wrong is in the package's findings.
pub fn read(json: &[u8], limits: &config::Ingest) -> Posted {
    let row = 1;
    let mut findings = Vec::new();
    let malformed = |why: String| Finding::new(Code::MalformedRow, row, "description").with_detail(why);
    let values = match std::str::from_utf8(json) {
        Ok(text) => given::from_json(text),
        Err(_) => Err("not UTF-8".into()),
    };
    let (mut metadata, mut expected, mut sources) = (Metadata::default(), Vec::new(), Vec::new());
    match values {
        Err(why) => findings.push(malformed(why)),
        Ok(mut values) => {
            let (stated, text) = components::posted(&mut values, row, &mut findings);
            (expected, sources) = (stated, text.map(|text| Source::Text { text }).into_iter().collect());
            metadata = describe::metadata(&mut values, row, &mut findings);
        }
    }
    if expected.len() + sources.len() > limits.components_max {
        let detail = format!("> {}", limits.components_max);
        findings.push(Finding::new(Code::TooManyComponents, row, "components").with_detail(detail));
    }
    let identity = Digest::of(json);
    Posted { package: Package { row, identity, metadata, components: sources, findings }, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_posted_description_states_digests_in_the_order_of_its_components() {
        let digest = Digest::of(b"x").to_string();
        let one = json!({"subject": "s", "components": ["a.pdf", {"path": "b.pdf", "sha256": digest}], "text": "t"});
        let posted = read(one.to_string().as_bytes(), &config::Ingest::default());
        assert_eq!(posted.expected, [None, Some(Digest::of(b"x"))]);
        assert_eq!(posted.package.components.len(), 1, "the text");
        assert_eq!(posted.package.metadata.subject, "s");
    }

    #[test]
    fn what_is_no_description_is_a_finding() {
        for bytes in [&b"\xff"[..], b"", b"[]", br#"{"subject":"s","text":5}"#, br#"{"subject":"s","components":5}"#] {
            let posted = read(bytes, &config::Ingest::default());
            assert!(posted.package.findings.iter().any(|finding| finding.code == Code::MalformedRow), "{bytes:?}");
        }
    }
}
