//! A record's text by pages, as a person reads it.

use crate::access::{SNIPPET_CHARS, read};
use crate::archive::{Archive, ArchiveError, keep::Described};
use crate::index::snippet;
use crate::store::StoreError;
use bytes::BytesMut;
use futures::TryStreamExt;

/// A page of a record's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPage {
    /// The component that holds the text.
    pub ordinal: u32,
    /// Counted from 1, and how many there are.
    pub page: u32,
    pub pages: u32,
    pub text: String,
    /// Byte ranges of the text that answer the question.
    pub highlights: Vec<(usize, usize)>,
}

/// Text of one component that is opened to be read by pages; larger ones are taken whole as components.
const PAGED_TEXT_BYTES_MAX: u64 = 16 << 20;

/// One page of an opened record's texts: of the component and the page that are asked for, else where the text
/// speaks most of the question, else the first. What is damaged is left out: `verify` tells.
pub async fn text(
    archive: &Archive,
    opened: &Described,
    question: &str,
    ordinal: Option<u32>,
    page: Option<u32>,
) -> Result<Option<TextPage>, ArchiveError> {
    let mut first = None;
    let asked = opened.description.texts().filter(|one| ordinal.is_none_or(|ordinal| one.ordinal == ordinal));
    for component in asked.filter(|one| one.size <= PAGED_TEXT_BYTES_MAX) {
        let Some(text) = whole(archive, opened, component.ordinal).await? else { continue };
        let spoken = || snippet::snippet(question, &text, SNIPPET_CHARS).map(|it| it.page);
        let page = page.or_else(spoken);
        let found = text_page(component.ordinal, &text, page.unwrap_or(1), question);
        if page.is_some() {
            return Ok(Some(found));
        }
        first.get_or_insert(found);
    }
    Ok(first)
}

fn text_page(ordinal: u32, text: &str, page: u32, question: &str) -> TextPage {
    let pages: Vec<&str> = text.trim_end_matches('\x0c').split('\x0c').collect();
    let page = page.clamp(1, pages.len() as u32);
    let text = pages[page as usize - 1].to_owned();
    // A cut as long as the page is the page: what is marked there are its places.
    let marked = snippet::snippet(question, &text, text.len());
    let highlights = marked.filter(|it| it.text.len() == text.len()).map(|it| it.highlights).unwrap_or_default();
    TextPage { ordinal, page, pages: pages.len() as u32, text, highlights }
}

/// A text, hashed again; `None` where it is gone or damaged.
async fn whole(archive: &Archive, opened: &Described, ordinal: u32) -> Result<Option<String>, ArchiveError> {
    let read = async {
        let Some(pieces) = read(archive, opened, ordinal).await? else { return Ok(None) };
        Ok(Some(pieces.try_collect::<BytesMut>().await?))
    };
    match read.await {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        Err(ArchiveError::Damaged(_) | ArchiveError::Store(StoreError::Differs { .. })) => {
            tracing::warn!(record.id = %opened.description.record, "a text is gone or damaged; run `vankho verify archive`");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_text_is_marked_where_it_answers() {
        let text = "mở đầu\x0cthu hồi đất\nnông nghiệp và đất ở\x0ccuối\x0c";
        let page = text_page(2, text, 2, "thu hoi dat");
        assert_eq!((page.page, page.pages, page.text.as_str()), (2, 3, "thu hồi đất\nnông nghiệp và đất ở"));
        assert_eq!(&page.text[page.highlights[0].0..page.highlights[0].1], "thu hồi đất");
        assert_eq!(text_page(2, text, 9, "").page, 3, "past the end is the last");
        assert_eq!(text_page(2, text, 0, "").highlights, []);
        assert_eq!(
            text_page(2, "", 1, "x"),
            TextPage { ordinal: 2, page: 1, pages: 1, text: String::new(), highlights: vec![] }
        );
    }
}
