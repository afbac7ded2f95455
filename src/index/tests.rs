//! The index as its callers see it.

use crate::config;
use crate::index::query::{Cursor, Filters, Hits, Query, Sort};
use crate::index::{Document, Index, IndexError};
use crate::record::{access::Access, access::Reader, date::PartialDate, id::RecordId, metadata::Metadata};
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};
use tantivy::indexer::NoMergePolicy;

fn id(n: u64) -> RecordId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RecordId::new(1_763_877_600_000, random)
}

fn about(subject: &str) -> Metadata {
    Metadata { subject: subject.into(), access: Access::Public, ..Metadata::default() }
}

fn numbered(number: &str, notation: &str, subject: &str) -> Metadata {
    Metadata { number: Some(number.into()), notation: Some(notation.into()), ..about(subject) }
}

fn dated(subject: &str, date: &str) -> Metadata {
    Metadata { issued: Some(date.parse().unwrap()), ..about(subject) }
}

/// Records 1, 2, 3 … with these descriptions and no text.
fn index(records: &[Metadata]) -> Index {
    let index = Index::open(None, &config::Index::default()).unwrap();
    for (n, metadata) in records.iter().enumerate() {
        put(&index, n as u64 + 1, metadata, &[]);
    }
    index.commit(records.len() as u64).unwrap();
    index
}

fn put(index: &Index, n: u64, metadata: &Metadata, text: &[&str]) {
    index.put(&Document { record: id(n), seq: n, metadata, text }).unwrap();
}

/// The numbers of the records of an answer.
fn numbers(hits: &Hits) -> Vec<u64> {
    let number = |hit: &crate::index::query::Hit| (1..=5000).find(|n| id(*n) == hit.record).unwrap();
    hits.hits.iter().map(number).collect()
}

fn found(index: &Index, text: &str) -> Vec<u64> {
    numbers(&index.search(&Query::new(text, Reader::Cleared)).unwrap())
}

fn filtered(index: &Index, filters: Filters) -> Vec<u64> {
    let mut found = numbers(&index.search(&Query { filters, ..Query::new("", Reader::Cleared) }).unwrap());
    found.sort_unstable();
    found
}

#[test]
fn words_with_and_without_diacritics() {
    let index = index(&[about("Thu hồi đất"), about("Thư hỏi dắt"), about("Xây dựng trường học"), about("Khai hoá")]);
    assert_eq!(found(&index, "thu hồi đất"), [1, 2], "an exact match before a folded one");
    assert_eq!(found(&index, "thư hỏi dắt"), [2, 1]);
    let mut both = found(&index, "thu hoi dat");
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
    assert_eq!(found(&index, "XÂY DỰNG"), [3]);
    assert_eq!(found(&index, "khai hóa"), [4]);
    assert_eq!(found(&index, "hàng hải"), Vec::<u64>::new());
}

#[test]
fn the_subject_weighs_more_than_the_text() {
    let index = index(&[]);
    put(&index, 1, &about("Báo cáo tổng kết"), &["về biển báo giao thông và nhiều điều khác nữa"]);
    put(&index, 2, &about("Biển báo giao thông"), &["báo cáo tổng kết và nhiều điều khác nữa"]);
    index.commit(2).unwrap();
    assert_eq!(found(&index, "biển báo giao thông"), [2, 1]);
}

#[test]
fn phrases_keep_their_order_and_their_diacritics() {
    let subjects = ["đất thu hồi", "thu hồi đất", "thư hồi đất", "thu hồi, đất"];
    let index = index(&subjects.map(about));
    let phrase = |text: &str| {
        let mut found = found(&index, text);
        found.sort_unstable();
        found
    };
    assert_eq!(phrase("\"thu hồi đất\""), [2, 3, 4], "what was typed without diacritics may have them");
    assert_eq!(phrase("\"thư hồi đất\""), [3]);
    assert_eq!(phrase("\"thu hoi dat\""), [2, 3, 4]);
    assert_eq!(phrase("\"đất thu\""), [1]);
    assert_eq!(phrase("\"hồi thu\""), Vec::<u64>::new());
    assert_eq!(phrase("\"thư hồi\" đất"), [3]);
}

#[test]
fn a_phrase_does_not_cross_from_one_text_into_another() {
    let index = index(&[]);
    put(&index, 1, &about("Quyết định"), &["kết thúc bằng thu", "hồi đất ở đầu"]);
    index.commit(1).unwrap();
    assert_eq!(found(&index, "\"thu hồi\""), Vec::<u64>::new());
    assert_eq!(found(&index, "\"hồi đất\""), [1]);
}

#[test]
fn a_reference_number_puts_its_bearers_first() {
    let index = index(&[numbered("162", "2026/NĐ-CP", "Lương hưu"), numbered("05", "QÐ-UBND", "Phê duyệt")]);
    put(&index, 3, &numbered("5", "QĐ-UBND", "Một việc khác"), &[]);
    put(&index, 4, &about("Nói nhiều về số 5/QĐ-UBND"), &[&"Quyết định số 05/QĐ-UBND, QĐ UBND 5. ".repeat(50)]);
    put(&index, 5, &numbered("5", "QĐ-UBND-VX", "Gần giống"), &[]);
    index.commit(5).unwrap();
    for typed in ["05/QĐ-UBND", "5 qd ubnd", "so 5/qd-ubnd", "Số: 0005 / QÐ - UBND", "5qdubnd"] {
        let found = found(&index, typed);
        let mut first = found[..2].to_vec();
        first.sort_unstable();
        assert_eq!(first, [2, 3], "{typed}: {found:?}");
        assert!(found[2..].contains(&4), "{typed}: who mentions it is found, later");
    }
    assert_eq!(found(&index, "nghị định 162/NĐ-CP về lương")[0], 1, "the year left out");
    assert_eq!(found(&index, "162")[0], 1);
    let number = |typed: &str| filtered(&index, Filters { number: Some(typed.into()), ..Filters::default() });
    assert_eq!(number("05/QĐ-UBND"), [2, 3, 5], "a beginning is enough for a filter");
    assert_eq!((number("162"), number("9")), (vec![1], vec![]));
}

#[test]
fn filters_and_dates() {
    let mut records = [dated("a", "2024"), dated("a", "2025-06"), dated("a", "2025-06-30"), about("a")];
    records[0].agency = Some("Sở Nội vụ".into());
    records[1].agency = Some("Sở  NỘI VỤ".into());
    records[2].kind = Some("Quyết định".into());
    records[2].fonds = Some("G01".into());
    records[3].file = Some("G01.2025.1".into());
    records[3].field = Some("Đất đai".into());
    let index = index(&records);
    let none = Filters::default;
    assert_eq!(filtered(&index, none()), [1, 2, 3, 4]);
    assert_eq!(filtered(&index, Filters { agency: vec!["sở nội vụ".into()], ..none() }), [1, 2]);
    // Of several names one is enough, and two spellings of one name are one.
    let names = |names: &[&str]| Filters { agency: names.iter().map(|name| (*name).to_owned()).collect(), ..none() };
    assert_eq!(filtered(&index, names(&["Ủy ban nhân dân xã", "sở nội vụ", "SO NOI VU"])), [1, 2]);
    assert_eq!(filtered(&index, names(&["Ủy ban nhân dân xã", "Ủy ban nhân dân huyện"])), Vec::<u64>::new());
    assert_eq!(filtered(&index, Filters { kind: Some("QUYẾT  ĐỊNH".into()), ..none() }), [3]);
    assert_eq!(filtered(&index, Filters { fonds: Some("g01".into()), ..none() }), [3]);
    assert_eq!(filtered(&index, Filters { file: Some("G01.2025.1".into()), ..none() }), [4]);
    assert_eq!(filtered(&index, Filters { field: Some("dat dai".into()), ..none() }), [4]);
    assert_eq!(filtered(&index, Filters { access: Some(Access::Secret), ..none() }), Vec::<u64>::new());
    let issued = |from, to| filtered(&index, Filters { issued_from: from, issued_to: to, ..none() });
    assert_eq!(issued(Some(20250615), None), [2, 3]);
    assert_eq!(issued(None, Some(20250629)), [1, 2]);
    assert_eq!(issued(Some(20250101), Some(20250531)), Vec::<u64>::new());
    assert_eq!(issued(Some(20241231), Some(20250630)), [1, 2, 3]);
}

const SORTS: [Sort; 4] = [Sort::Relevance, Sort::IssuedNewest, Sort::IssuedOldest, Sort::Newest];

#[test]
fn pages_have_no_gap_and_no_double() {
    let dates = ["2024", "2025-06", "2025-06-30", "1999-01-01"];
    let records: Vec<Metadata> = (0..97)
        .map(|n| match n % 5 {
            4 => about("quy hoạch sử dụng đất"),
            n => dated(["quy hoạch", "quy hoạch đất", "quy hoạch quy hoạch", "quy hoach"][n], dates[n]),
        })
        .collect();
    let index = index(&records);
    for (sort, text) in SORTS.into_iter().flat_map(|sort| [(sort, "quy hoạch"), (sort, "")]) {
        let whole = Query { sort, limit: 1000, ..Query::new(text, Reader::Anyone) };
        let expected = index.search(&whole).unwrap();
        assert_eq!((expected.hits.len(), expected.total, expected.next), (97, 97, None));
        let (mut paged, mut cursor) = (vec![], None);
        loop {
            let page = index.search(&Query { limit: 7, cursor, ..whole.clone() }).unwrap();
            assert_eq!(page.total, 97);
            paged.extend(page.hits);
            let Some(next) = page.next else { break };
            assert_eq!(next.to_string().parse::<Cursor>(), Ok(next));
            cursor = Some(next);
        }
        assert_eq!(paged, expected.hits, "{sort:?} {text:?}");
    }
    assert!(["", "x", &"g".repeat(66), &"0".repeat(65), &"é".repeat(33)].iter().all(|c| c.parse::<Cursor>().is_err()));
}

#[test]
fn a_place_in_one_list_is_none_in_another() {
    let index = index(&["a", "a", "a b"].map(about));
    let query = |text: &str| Query { limit: 1, ..Query::new(text, Reader::Anyone) };
    let next = index.search(&query("a")).unwrap().next.unwrap().to_string();
    assert!(query("a").after(&next).is_ok());
    assert!(Query { limit: 9, facets: true, ..query("a") }.after(&next).is_ok());
    let others = [
        query("a b"),
        Query { sort: Sort::Newest, ..query("a") },
        Query { reader: Reader::Archivist, ..query("a") },
        Query { filters: Filters { issued_from: Some(20250101), ..Filters::default() }, ..query("a") },
    ];
    assert!(others.into_iter().all(|other| other.after(&next).is_err()));
    assert!(query("a").after("x").is_err());
}

#[test]
fn dates_of_issue_sort_and_undated_records_come_last() {
    let index = index(&[dated("a", "2024"), about("a"), dated("a", "2025-06-30"), dated("a", "1999-01-01")]);
    let sorted = |sort| numbers(&index.search(&Query { sort, ..Query::new("a", Reader::Anyone) }).unwrap());
    assert_eq!(sorted(Sort::IssuedNewest), [3, 1, 4, 2]);
    assert_eq!(sorted(Sort::IssuedOldest), [4, 1, 3, 2]);
    assert_eq!(sorted(Sort::Newest), [4, 3, 2, 1]);
}

#[test]
fn permission_is_the_rule_of_the_reader_in_hits_totals_and_facets() {
    let agencies = [None, Some("Sở Nội vụ"), Some("Sở Tài chính"), Some("Sở Nôi vụ")];
    let mut records = vec![];
    for level in [Access::Public, Access::Conditional, Access::Secret] {
        for (agency, custodian) in agencies.iter().flat_map(|a| agencies.map(|c| (*a, c))) {
            let (agency, custodian) = (agency.map(str::to_owned), custodian.map(str::to_owned));
            records.push(Metadata { access: level, agency, custodian, fonds: Some("G".into()), ..about("đất") });
        }
    }
    let index = index(&records);
    let official = |agency: &str| Reader::Official { agency: agency.into() };
    let own = [official("SỞ  nội vụ"), official("Sở Tài chính"), official("so noi vu"), official("")];
    for reader in [Reader::Anyone, Reader::Archivist, Reader::Cleared].into_iter().chain(own) {
        let may = |m: &&Metadata| reader.may_read(m.access, m.agency.as_deref(), m.custodian.as_deref());
        let readable = records.iter().filter(may).count() as u64;
        for text in ["đất", "dat", "\"đất\"", ""] {
            let query = Query { limit: 1000, facets: true, ..Query::new(text, reader.clone()) };
            let hits = index.search(&query).unwrap();
            let expected = |n: &u64| may(&&records[*n as usize - 1]);
            assert!(numbers(&hits).iter().all(expected) && hits.hits.len() as u64 == readable, "{reader:?} {text}");
            assert_eq!(hits.total, readable);
            assert_eq!(hits.facets.fonds.iter().map(|(_, count)| count).sum::<u64>(), readable);
            for (level, count) in &hits.facets.access {
                let of_level = records.iter().filter(may).filter(|m| m.access.as_str() == level).count() as u64;
                assert_eq!(*count, of_level, "{reader:?} {level}");
            }
        }
    }
}

#[test]
fn what_matches_does_not_tell_of_hidden_records() {
    let visible = [about("kế hoạch năm"), about("kế hoạch tháng"), about("báo cáo quý")];
    let plain = index(&visible);
    let hidden = Metadata { access: Access::Secret, number: Some("7".into()), ..about("kế hoạch mật danh Zulu") };
    let with_hidden = index(&[&visible[..], &[hidden]].concat());
    for text in ["kế hoạch zulu", "zulu", "\"kế hoạch\" zulu", "7", "kế hoạch", ""] {
        let answer = |index: &Index| {
            let hits = index.search(&Query { facets: true, ..Query::new(text, Reader::Archivist) }).unwrap();
            (numbers(&hits), hits.total, hits.facets, hits.next.map(|_| ()))
        };
        assert_eq!(answer(&plain), answer(&with_hidden), "{text}");
    }
}

#[test]
fn facets_count_what_matches_most_frequent_first() {
    let mut records = [dated("đất", "2024"), dated("đất", "2025"), dated("đất", "2025-06"), about("khác")];
    records[0].kind = Some("Quyết định".into());
    records[1].kind = Some("Quyết  định".into());
    let index = index(&records);
    let facets = index.search(&Query { facets: true, ..Query::new("đất", Reader::Anyone) }).unwrap().facets;
    assert_eq!(facets.year, [("2025".to_owned(), 2), ("2024".to_owned(), 1)]);
    assert_eq!(facets.kind, [("Quyết định".to_owned(), 2)]);
    assert!(facets.fonds.is_empty() && facets.agency.is_empty());
}

#[test]
fn a_record_is_replaced_and_removed_and_purged() {
    let folder = tempfile::tempdir().unwrap();
    let config = config::Index::default();
    let index = Index::open(Some(folder.path()), &config).unwrap();
    let agency = Metadata { agency: Some("Zulubravo".into()), ..about("khác") };
    let in_files = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(9).any(|part| part == b"Zulubravo"))
    };
    put(&index, 1, &about("nhất"), &[]);
    put(&index, 1, &about("hai"), &[]);
    put(&index, 2, &agency, &[]);
    assert!(found(&index, "hai").is_empty(), "not before the commit");
    index.commit(3).unwrap();
    assert_eq!((found(&index, "hai"), found(&index, "nhất"), in_files()), (vec![1], vec![], true));
    put(&index, 1, &about("ba"), &[]);
    index.remove(&id(2)).unwrap();
    put(&index, 3, &about("mới"), &[]);
    index.remove(&id(3)).unwrap();
    index.commit(7).unwrap();
    assert_eq!((found(&index, "hai"), found(&index, "ba"), found(&index, "")), (vec![], vec![1], vec![1]));
    index.forget_traces().unwrap();
    assert_eq!((found(&index, ""), index.applied(), in_files()), (vec![1], 7, false), "nothing is left");
    assert!(matches!(Index::open(Some(folder.path()), &config), Err(IndexError::Busy)));
    drop(index);
    let again = Index::open(Some(folder.path()), &config).unwrap();
    assert_eq!((again.applied(), found(&again, "ba")), (7, vec![1]));
}

#[test]
fn a_foreign_or_damaged_index_asks_to_be_rebuilt() {
    let config = config::Index::default();
    for damage in ["meta.json", "fast", "term", "idx", "store"] {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(Some(folder.path()), &config).unwrap();
        put(&index, 1, &about("đất"), &[]);
        index.commit(1).unwrap();
        drop(index);
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let file = files.into_iter().find(|path| path.to_string_lossy().ends_with(damage)).unwrap();
        std::fs::write(&file, b"{}").unwrap();
        let opened = Index::open(Some(folder.path()), &config);
        assert!(matches!(opened, Err(IndexError::NeedsRebuild(_))), "{damage}: {:?}", opened.err());
        let index = Index::recreate(folder.path(), &config).unwrap();
        assert_eq!((index.applied(), found(&index, "đất").len()), (0, 0));
    }
}

#[test]
fn hostile_queries_answer_quickly() {
    let index = index(&[about("Quyết định về đất đai số 1 năm 2025"), numbered("1", "QĐ", "a")]);
    let started = Instant::now();
    for text in [
        "đất đai \u{0}".repeat(400_000),
        "\"".repeat(10_000),
        "\" a".repeat(10_000),
        "\"a\" ".repeat(10_000),
        "1/".repeat(100_000),
        (0..100_000).map(|n| format!("{n}/QĐ-{n} ")).collect(),
        "x".repeat(5 << 20),
        "\u{301}".repeat(1 << 20),
        (0..32).map(char::from).collect(),
        "và là của có các những".into(),
        "* AND (title:[a TO z] OR ~^+-".into(),
        "\u{202e}\u{feff}\u{10ffff}😀".into(),
    ] {
        let query = Query { limit: usize::MAX, facets: true, ..Query::new(&text, Reader::Anyone) };
        index.search(&query).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn an_empty_index_and_a_page_of_nothing() {
    let index = index(&[]);
    assert_eq!(index.search(&Query::new("đất", Reader::Cleared)).unwrap(), Hits::default());
    put(&index, 1, &about("đất"), &[]);
    index.commit(1).unwrap();
    let hits = index.search(&Query { limit: 0, ..Query::new("đất", Reader::Cleared) }).unwrap();
    assert_eq!((hits.total, hits.hits.len(), hits.next), (1, 0, None));
    assert_eq!(PartialDate::read("2025").unwrap().span(), (20250101, 20251231));
}

#[test]
fn when_nothing_has_most_of_the_words_some_are_enough() {
    let index = index(&[about("Quy hoạch sử dụng đất"), about("Chuyện khác")]);
    assert_eq!(found(&index, "quy hoạch vũ trụ"), [1]);
    assert_eq!(found(&index, "quy chế vũ trụ thiên hà"), [1]);
}

/// The folder of an index as a killed process leaves it: what its last commit names, and what it was about to write.
fn left_by_a_kill(folder: &Path) -> tempfile::TempDir {
    loop {
        let (left, meta) = (tempfile::tempdir().unwrap(), || fs::read(folder.join("meta.json")).unwrap());
        let before = meta();
        for entry in fs::read_dir(folder).unwrap().flatten() {
            // A segment that was merged is gone in the middle of this.
            let Ok(bytes) = fs::read(entry.path()) else { continue };
            fs::write(left.path().join(entry.file_name()), bytes).unwrap();
        }
        if meta() == before {
            return left;
        }
    }
}

#[test]
fn a_record_is_there_once_however_often_its_writer_was_killed() {
    let words = ["quy hoạch", "đất đai", "ngân sách", "trường học", "cấp nước"];
    let mut state = 1_u64;
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let config = config::Index::default();
    let mut folder = tempfile::tempdir().unwrap();
    let mut index = Index::open(Some(folder.path()), &config).unwrap();
    // Every entry of the ledger is a record with new words.
    let (mut entries, mut kills): (Vec<(u64, usize)>, u32) = (vec![], 0);
    let give = |index: &Index, (record, word): (u64, usize)| {
        put(index, record, &about(words[word]), &[words[word], "toàn văn"]);
    };
    for _ in 0..120 {
        for _ in 0..=below(20) {
            let records = entries.iter().map(|(record, _)| *record).max().unwrap_or(0);
            let record = if records > 0 && below(3) == 0 { 1 + below(records) } else { records + 1 };
            entries.push((record, below(words.len() as u64) as usize));
            give(&index, entries[entries.len() - 1]);
        }
        if below(3) == 0 {
            let left = left_by_a_kill(folder.path());
            drop(index);
            folder = left;
            index = Index::open(Some(folder.path()), &config).unwrap();
            entries[index.applied() as usize..].iter().for_each(|entry| give(&index, *entry));
            kills += 1;
        }
        if below(2) == 0 {
            continue;
        }
        index.commit(entries.len() as u64).unwrap();
        let now: HashMap<u64, usize> = entries.iter().copied().collect();
        for (n, text) in words.into_iter().chain(["", "toàn văn"]).enumerate() {
            let expected = now.values().filter(|word| n >= words.len() || **word == n).count();
            let query = Query { limit: 1000, facets: true, ..Query::new(text, Reader::Cleared) };
            let hits = index.search(&query).unwrap();
            let different: HashSet<RecordId> = hits.hits.iter().map(|hit| hit.record).collect();
            assert_eq!((hits.total, different.len(), hits.hits.len()), (expected as u64, expected, expected), "{text}");
            assert_eq!(hits.facets.access.iter().map(|(_, count)| count).sum::<u64>(), expected as u64, "{text}");
        }
    }
    assert!(kills > 20, "{kills}");
}

#[test]
fn a_merge_that_is_due_after_a_start_forgets_no_deletion() {
    let (folder, config) = (tempfile::tempdir().unwrap(), config::Index::default());
    let index = Index::open(Some(folder.path()), &config).unwrap();
    // The process ends before the merge that its last commit calls for has begun.
    index.writer.read().unwrap().set_merge_policy(Box::new(NoMergePolicy));
    (1..=10).for_each(|n| put(&index, n, &about("một"), &[]));
    index.commit(10).unwrap();
    (11..=13).for_each(|n| put(&index, n, &about("một"), &[]));
    index.commit(13).unwrap();
    put(&index, 11, &about("hai"), &[]);
    index.commit(14).unwrap();
    drop(index);
    // The first thing that is done is a deletion, of a record beside one that the last commit deleted.
    let index = Index::open(Some(folder.path()), &config).unwrap();
    put(&index, 12, &about("hai"), &[]);
    index.commit(15).unwrap();
    let began = Instant::now();
    while index.writer.read().unwrap().index().searchable_segment_ids().unwrap().len() > 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "the merge was due");
        std::thread::sleep(Duration::from_millis(10));
    }
    index.commit(15).unwrap();
    let hits = index.search(&Query { limit: 100, ..Query::new("", Reader::Cleared) }).unwrap();
    let mut all = numbers(&hits);
    all.sort_unstable();
    assert_eq!((hits.total, all), (13, (1..=13).collect()), "each once");
    assert_eq!(found(&index, "hai").len(), 2);
}
