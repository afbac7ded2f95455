//! Who finds what: the right to read is part of the question.

use crate::world::{World, row};
use std::collections::BTreeSet;
use vankho::{
    access,
    index::query::Query,
    record::access::{Access, Reader},
};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_of_what_they_may_not_read() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let mut rows = String::new();
    for level in ["public", "conditional", "secret"] {
        for agency in ["Sở Nội vụ", "Sở Tài chính"] {
            let more = format!(r#""access":"{level}","agency":"{agency}","text":"hello everybody {level}""#);
            rows += &row(&format!("{level} {agency}"), "một tài liệu", &more);
        }
    }
    rows += &row("held", "một tài liệu", r#""agency":"Sở Y tế","custodian":"SỞ NỘI VỤ","text":"hello everybody""#);
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    archive.settle().await.unwrap();
    let known = archive.catalog.records(0, 100).await.unwrap();
    let readers = [Reader::Anyone, Reader::Official { agency: "sở nội vụ".into() }, Reader::Archivist, Reader::Cleared];
    for (reader, count) in readers.into_iter().zip([2, 4, 5, 7]) {
        let may: BTreeSet<_> = known
            .iter()
            .filter(|one| {
                let level = Access::read(&one.access).unwrap();
                reader.may_read(level, one.agency.as_deref(), one.custodian.as_deref())
            })
            .map(|one| one.record)
            .collect();
        assert_eq!(may.len(), count, "{reader:?}");
        for words in ["", "hello everybody", "một tài liệu"] {
            let mut query = Query::new(words, reader.clone());
            query.facets = true;
            let page = access::search(&archive, query, true).await.unwrap();
            let found: BTreeSet<_> = page.found.iter().map(|found| found.known.record).collect();
            assert_eq!((&found, page.total), (&may, count as u64), "{reader:?} {words:?}");
            let counted: u64 = page.facets.access.iter().map(|(_, count)| count).sum();
            assert_eq!(counted, count as u64, "facets count what the reader may see: {:?}", page.facets.access);
        }
        for one in &known {
            let opened = access::open(&archive, &reader, one.record).await.unwrap();
            assert_eq!(opened.is_some(), may.contains(&one.record), "{reader:?} {:?}", one.external_id);
        }
    }
    archive.close().await.unwrap();
    world.check().await;
}
