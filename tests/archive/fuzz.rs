//! Every parser of evidence, given real evidence that was changed at random: none panics, and what one accepts it writes
//! back as it was. `VANKHO_FULL=1` asks ten million times, else a slice; `VANKHO_SEED` moves it.

use crate::{
    authority::Authority,
    mutate::{Chance, Tally, changed, count, on_two},
    timestamps::{ask, stamped_by, trusted},
};
use std::{fs, panic::AssertUnwindSafe, path::Path};
use vankho::{
    evidence,
    ledger::{
        authority::Certificates,
        commit::Commit,
        keys::KeyFile,
        note::Note,
        offer::Offer,
        proof::Receipt,
        tile::{self, Resource},
        timestamp::Token,
    },
    record::{description::Description, digest::Digest, entry::Entry},
    store::{layout, local},
    verify::receipt::verify_receipt,
};

/// Changes of one piece of evidence at most.
const CHANGES_MAX: usize = 4;

type Accepts = Box<dyn Fn(&[u8]) -> bool + Sync>;

/// What is read, from what, and whether it was accepted.
struct Parser {
    name: &'static str,
    good: Vec<Vec<u8>>,
    accepts: Accepts,
}

fn parser(name: &'static str, good: Vec<Vec<u8>>, accepts: impl Fn(&[u8]) -> bool + Sync + 'static) -> Parser {
    assert!(!good.is_empty(), "there is none of {name}");
    Parser { name, good, accepts: Box::new(accepts) }
}

/// One that reads text, and writes it back.
fn written(accepts: impl Fn(&str) -> Option<String> + Sync) -> impl Fn(&[u8]) -> bool + Sync {
    move |bytes| {
        let Some(text) = std::str::from_utf8(bytes).ok() else { return false };
        let again = accepts(text);
        assert!(again.as_deref().is_none_or(|again| again == text), "accepted, and written as {again:?}");
        again.is_some()
    }
}

/// The files of an archive under a folder, with their paths.
fn files(root: &Path, folder: &str) -> Vec<(String, Vec<u8>)> {
    let listed = local::walk(root, folder).unwrap();
    listed.into_iter().map(|one| (one.path.clone(), fs::read(root.join(&one.path)).unwrap())).collect()
}

/// The parsers, with evidence of a real archive that a real authority stamped.
async fn parsers() -> Vec<Parser> {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 600)).await;
    let archive = world.open().await.unwrap();
    ask(&archive).await.unwrap();
    archive.publish().await.unwrap();
    let record = world.acknowledged.lock().unwrap()[0].record;
    let told = evidence::receipt(&archive, record, false).await.unwrap().unwrap();
    let opened = archive.description(record).await.unwrap().unwrap();
    let file = opened.description.components[0].sha256;
    archive.close().await.unwrap();
    let root = world.data.path().join("archive");
    let all = |folder: &str| files(&root, folder);
    let bytes = |folder: &str| all(folder).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    let ending = |folder: &str, end: &str| -> Vec<Vec<u8>> {
        all(folder).into_iter().filter(|(path, _)| path.ends_with(end)).map(|(_, bytes)| bytes).collect()
    };
    let key_bytes = fs::read(root.join(layout::KEYS)).unwrap();
    let keys: KeyFile = String::from_utf8(key_bytes.clone()).unwrap().parse().unwrap();
    let (commits, checkpoints) = (all(layout::COMMITS), bytes("log/checkpoints"));
    let bases = commits.iter().map(|(path, _)| path.rsplit('/').next().unwrap().parse::<u64>().unwrap());
    let bases: Vec<u64> = bases.collect();
    let entries =
        commits.iter().zip(&bases).flat_map(|((_, bytes), base)| Commit::parse(bytes, *base, &keys).unwrap().entries);
    let entries: Vec<Vec<u8>> = entries.collect();
    let (tiles, bundles): (Vec<_>, Vec<_>) =
        all("log/tile").into_iter().partition(|(path, _)| !matches!(tile::parse_path(path), Some(Resource::Bundle(_))));
    let paths = tiles.iter().chain(&bundles).map(|(path, _)| path.clone().into_bytes()).collect();
    let width = |path: &str| match tile::parse_path(path) {
        Some(Resource::Tile(tile)) => tile.width,
        Some(Resource::Bundle(bundle)) => bundle.width,
        None => panic!("{path}"),
    };
    let (hashes, many) = (width(&tiles[0].0), width(&bundles[0].0));
    let roots = trusted(&authority);
    let stamped: Vec<Digest> = checkpoints.iter().map(|note| Digest::of(note)).collect();
    let receipt = told.receipt.clone().into_bytes();
    let offer =
        Offer { old: 0, proof: Vec::new(), checkpoint_note: String::from_utf8(checkpoints[0].clone()).unwrap() };
    let offers = vec![
        offer.encode().into_bytes(),
        offer.encode().replacen("old 0\n", &format!("old 1\n{}\n", hash()), 1).into(),
    ];
    let (commit_keys, receipt_keys) = (keys.clone(), keys.clone());
    let (description, own_keys) = (told.description.clone(), key_bytes.clone());
    vec![
        parser(
            "receipt",
            vec![receipt.clone()],
            written(move |text| {
                let read = Receipt::parse(text).ok()?;
                read.check(&receipt_keys).ok();
                Some(read.encode())
            }),
        ),
        parser("receipt as a whole", vec![receipt], move |bytes| {
            verify_receipt(bytes, &own_keys, Some(&description), Some(file)).outcome == vankho::verify::Outcome::Holds
        }),
        parser("note", checkpoints.clone(), written(|text| Note::parse(text).is_ok().then(|| text.to_owned()))),
        parser("checkpoint", checkpoints, move |bytes| {
            std::str::from_utf8(bytes).is_ok_and(|text| keys.open_checkpoint(text).is_ok())
        }),
        parser("keys", vec![key_bytes], |bytes| {
            std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<KeyFile>().is_ok())
        }),
        parser("commit", bytes(layout::COMMITS), move |bytes| {
            bases.iter().any(|base| Commit::parse(bytes, *base, &commit_keys).is_ok())
        }),
        parser("entry", entries, |bytes| {
            let read = Entry::from_bytes(bytes);
            read.is_ok_and(|read| {
                assert_eq!(read.to_bytes().unwrap(), bytes, "accepted, and written otherwise");
                true
            })
        }),
        parser("description", ending(layout::RECORDS, ".json"), |bytes| Description::from_bytes(bytes).is_ok()),
        parser("tile", tiles.into_iter().map(|(_, bytes)| bytes).collect(), move |bytes| {
            let read = tile::decode_hashes(bytes, hashes);
            read.is_some_and(|read| {
                assert_eq!(tile::encode_hashes(&read), bytes, "accepted, and written otherwise");
                true
            })
        }),
        parser("bundle", bundles.into_iter().map(|(_, bytes)| bytes).collect(), move |bytes| {
            let read = tile::decode_bundle(bytes, many);
            read.is_some_and(|read| {
                assert_eq!(tile::encode_bundle(&read).as_deref(), Some(bytes), "accepted, and written otherwise");
                true
            })
        }),
        parser("path of a tile", paths, |bytes| {
            std::str::from_utf8(bytes).is_ok_and(|text| tile::parse_path(text).is_some())
        }),
        parser("offer", offers, written(|text| Offer::parse(text).ok().map(|read| read.encode()))),
        parser("token", ending(layout::TIMESTAMPS, ".tsr"), move |bytes| {
            Token::read(bytes).is_ok_and(|token| stamped.iter().any(|message| token.verify(*message, &roots).is_ok()))
        }),
        parser("certificates", ending(layout::TIMESTAMPS, ".pem"), |bytes| {
            Certificates::parse(bytes).is_ok_and(|read| !read.to_pem().is_empty())
        }),
    ]
}

fn hash() -> String {
    vankho::ledger::note::encode_base64(&[7; 32])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parser_of_evidence_panics_whatever_it_is_given() {
    let parsers = parsers().await;
    for parser in &parsers {
        let accepted = parser.good.iter().filter(|good| (parser.accepts)(good)).count();
        assert!(accepted > 0, "{}: what is not changed is accepted", parser.name);
    }
    let tally = Tally::default();
    on_two(count(200_000, 10_000_000), |n| {
        let (parser, mut chance) = (&parsers[n % parsers.len()], Chance::of(n));
        let mut given = chance.pick(&parser.good).clone();
        for _ in 0..=chance.below(CHANGES_MAX) {
            given = changed(&given, &mut chance).1;
        }
        let read = std::panic::catch_unwind(AssertUnwindSafe(|| (parser.accepts)(&given)));
        match read {
            Ok(accepted) => tally.answered(parser.name, u8::from(accepted)),
            Err(_) => tally.wrong(format!("{}, case {n}: {:?}", parser.name, String::from_utf8_lossy(&given))),
        }
    });
    tally.tell("parsers of evidence (1 accepted, 0 refused)");
}
