//! Published examples, byte for byte: those of the C2SP specifications signed-note, tlog-checkpoint,
//! tlog-tiles and tlog-proof, and the notes of the Go checksum database, which those specifications grew
//! from.
//!
//! The specification of tlog-proof has no whole example: the signatures in it are cut short and its path is
//! too short for its tree, so it can be read but not checked.

use crate::place::{ORIGIN, keys, signer};
use ed25519_dalek::SigningKey;
use vankho::ledger::{
    checkpoint::Checkpoint,
    keys::Signer,
    merkle,
    note::{self, Note, NoteFault, VerifyingKey},
    proof::{Receipt, ReceiptFault},
    tile::{self, Bundle, Resource, Tile},
};
use vankho::record::digest::Digest;

/// The key and the note of the specification of signed-note.
const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const FOO_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The keys and the note of the package `note` of the Go checksum database.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str = "\u{2014} PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str = "\u{2014} EnochRoot \
    rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

/// The key of the Go checksum database, and what it once signed.
const SUM: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const SUM_CHECKPOINT: &str = "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n\
    \u{2014} sum.golang.org \
    Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n";

/// The example of the specification of tlog-checkpoint. Size, root and signature are the checksum database's
/// own: only the names were put in.
const SOFA_CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

fn key(vkey: &str) -> VerifyingKey {
    let key: VerifyingKey = vkey.parse().unwrap();
    assert_eq!(key.to_string(), vkey);
    key
}

fn check(note: &str, keys: &[VerifyingKey]) -> Result<(), NoteFault> {
    Note::parse(note)?.check(keys)
}

#[test]
fn the_notes_of_the_specification() {
    assert_eq!(Note::parse(FOO_NOTE).unwrap().text(), "This is an example message.\n");
    assert_eq!(check(FOO_NOTE, &[key(FOO)]), Ok(()));
    // Nobody published this one's key: it shows that a text may hold empty lines and more than ASCII.
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u{e8} subito sera.\n";
    let signed = format!(
        "{poem}\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0\
         xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    );
    assert_eq!(Note::parse(&signed).unwrap().text(), poem);
    assert_eq!(check(&signed, &[key(FOO)]), Err(NoteFault::UnknownKey));
}

#[test]
fn the_notes_of_the_checksum_database() {
    let (peter, enoch) = (key(PETER), key(ENOCH));
    assert_eq!((peter.id(), enoch.id()), ([0xc7, 0x4f, 0x20, 0xa3], [0xaf, 0x0c, 0xfe, 0x78]));
    let both = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    for known in [vec![peter.clone()], vec![enoch.clone()], vec![peter.clone(), enoch.clone()]] {
        assert_eq!(check(&both, &known), Ok(()));
    }
    assert_eq!(check(&both, &[]), Err(NoteFault::UnknownKey));
    // The secret key signs the same line.
    assert_eq!(Signer::from_secret_text(PETER_SECRET).unwrap().verifying_key(), &peter);
    let seed = note::decode_base64(PETER_SECRET.splitn(5, '+').nth(4).unwrap()).unwrap();
    let secret = SigningKey::from_bytes(seed[1..].try_into().unwrap());
    assert_eq!(note::sign(TEXT, &peter, &secret), PETER_LINE);
    // The lines that the package tries and refuses.
    let line = format!("{TEXT}\n{PETER_LINE}");
    for wrong in [
        format!("{TEXT}{PETER_LINE}"),
        line.trim_end().to_owned(),
        format!("\u{1}{line}"),
        format!("{line}Unexpected line.\n"),
        format!("{TEXT}\n{}", PETER_LINE.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{}", PETER_LINE.repeat(101)),
        TEXT.to_owned(),
        String::new(),
    ] {
        assert!(matches!(Note::parse(&wrong), Err(NoteFault::Malformed(_))), "{wrong:?}");
    }
    let misnamed = format!("{TEXT}\n{}", PETER_LINE.replace("PeterNeumann", "CarmenSandiego"));
    let other_id = format!("{TEXT}\n{}", PETER_LINE.replace("x08g", "xxxx"));
    let other_bytes = format!("{TEXT}\n{}", PETER_LINE.replace("QxVBtiFup", "QxVBtiFuq"));
    for (wrong, fault) in [
        (misnamed, NoteFault::UnknownKey),
        (other_id, NoteFault::UnknownKey),
        (line.replace("answer", "question"), NoteFault::BadSignature),
        (other_bytes, NoteFault::BadSignature),
    ] {
        assert_eq!(check(&wrong, std::slice::from_ref(&peter)), Err(fault), "{wrong:?}");
    }
}

/// The manglings that the package tries: every part of a key, every byte one higher, and a key of a kind or a
/// length that is none, whose id is right.
#[test]
fn no_part_of_a_key_is_a_key() {
    type Read = fn(&str) -> bool;
    let keys: [(&str, Read); 2] = [
        (PETER, |text| text.parse::<VerifyingKey>().is_ok()),
        (PETER_SECRET, |text| Signer::from_secret_text(text).is_ok()),
    ];
    for (whole, read) in keys {
        assert!(read(whole));
        for from in 0..whole.len() {
            for to in from + 1..=whole.len() {
                assert!(to - from == whole.len() || !read(&whole[from..to]), "{}", &whole[from..to]);
            }
            let mut bytes = whole.as_bytes().to_vec();
            bytes[from] += 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(!read(&changed), "{changed}");
        }
    }
    for wrong in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(wrong.parse::<VerifyingKey>().is_err(), "{wrong}");
    }
}

#[test]
fn the_checkpoints_of_the_specification_and_of_the_checksum_database() {
    let (sofa, root) =
        (Checkpoint::unverified(SOFA_CHECKPOINT).unwrap(), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    assert_eq!((sofa.origin.as_str(), sofa.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(sofa.root, note::decode_hash(root).unwrap());
    assert_eq!(format!("{}\n", sofa.body()), SOFA_CHECKPOINT[..=SOFA_CHECKPOINT.rfind("\n\n").unwrap() + 1]);
    // Under the name that signed it, it is a signed note.
    let sum = key(SUM);
    let original = SOFA_CHECKPOINT.replacen("example.com/behind-the-sofa", "go.sum database tree", 1);
    let original = original.replacen("example.com/behind-the-sofa", "sum.golang.org", 1);
    for note in [SUM_CHECKPOINT, &original] {
        assert_eq!(check(note, std::slice::from_ref(&sum)), Ok(()));
        assert_eq!(check(&note.replacen('6', "7", 1), std::slice::from_ref(&sum)), Err(NoteFault::BadSignature));
        // All the same it is no checkpoint to us: a log is named by its key, and this name has spaces.
        assert!(matches!(Checkpoint::open(note, [&sum]), Err(NoteFault::Malformed(_))));
    }
    // As printed it was signed by nobody, whatever key is known by that name.
    let named = sum.renamed("example.com/behind-the-sofa").unwrap();
    assert_eq!(Checkpoint::open(SOFA_CHECKPOINT, [&sum]), Err(NoteFault::UnknownKey));
    assert!(Checkpoint::open(SOFA_CHECKPOINT, [&named]).is_err());
}

/// Where tlog-tiles puts things, with the examples of its text.
#[test]
fn the_paths_and_counts_of_the_specification() {
    let tile = |level, n, width| Tile { level, n, width };
    for (tile, path) in [
        (tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (tile(0, 273, 112), "tile/0/273.p/112"),
        (tile(1, 0, 256), "tile/1/000"),
        (tile(1, 1, 17), "tile/1/001.p/17"),
        (tile(2, 0, 1), "tile/2/000.p/1"),
        (tile(5, 123_456_078, 256), "tile/5/x123/x456/078"),
        (tile(5, 123_456_078, 2), "tile/5/x123/x456/078.p/2"),
        (tile(63, 0, 255), "tile/63/000.p/255"),
    ] {
        assert_eq!(tile.path(), format!("log/{path}"));
        assert_eq!(tile::parse_path(&tile.path()), Some(Resource::Tile(tile)));
    }
    for (bundle, path) in [
        (Bundle { n: 1_234_067, width: 256 }, "tile/entries/x001/x234/067"),
        (Bundle { n: 3_057_500, width: 256 }, "tile/entries/x003/x057/500"),
        (Bundle { n: 273, width: 112 }, "tile/entries/273.p/112"),
    ] {
        assert_eq!(bundle.path(), format!("log/{path}"));
        assert_eq!(tile::parse_path(&bundle.path()), Some(Resource::Bundle(bundle)));
    }
    for wrong in [
        "tile/5/123/456/078",
        "tile/5/x123/x456/x078",
        "tile/5/x123/x456/78",
        "tile/-1/123/456/078",
        "tile/05/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/007",
        "tile/data/x003/x057/500",
    ] {
        assert_eq!(tile::parse_path(&format!("log/{wrong}")), None, "{wrong}");
    }
    // "A tree of size 70,000", and one of 256.
    let of = |size| {
        let tiles = tile::tiles_for(0, size).tiles;
        let full = |level| tiles.iter().filter(|tile| tile.level == level && tile.is_full()).count();
        let partial: Vec<_> = tiles.iter().filter(|tile| !tile.is_full()).map(|t| (t.level, t.n, t.width)).collect();
        (full(0), full(1), full(2), partial)
    };
    assert_eq!(of(70_000), (273, 1, 0, vec![(0, 273, 112), (1, 1, 17), (2, 0, 1)]));
    assert_eq!(of(256), (1, 0, 0, vec![(1, 0, 1)]));
    for size in [1u64, 255, 256, 257, 65_535, 65_536, 70_000, 20_852_163] {
        let formula = (0..8u8).map(|level| (level, (size / 256u64.pow(level.into()) % 256) as u16));
        let formula: Vec<_> = formula.filter(|(_, width)| *width > 0).collect();
        assert_eq!(tile::partials(size).iter().map(|t| (t.level, t.width)).collect::<Vec<_>>(), formula);
    }
    assert_eq!(tile::encode_hashes(&[Digest::of(b""); 256]).len(), 8192);
    assert_eq!(tile::encode_bundle(&[&b"abc"[..], b""]).unwrap(), [0, 3, b'a', b'b', b'c', 0, 0]);
}

/// The example of the specification of tlog-proof, as it is printed.
const PROOF: &str = "c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

\u{2014} example.com/fancylog hI2DJw[...]1roloI=
\u{2014} witness1.example mJirIklj[...]qY9v2B/5bg==
\u{2014} witness2.example TnKKVHLX[...]xwYwrSjgow==
\u{2014} witness3.example S4X82uH5[...]3oEcROGLFQ==
";

#[test]
fn the_proof_of_the_specification() {
    let receipt = Receipt::parse(PROOF).unwrap();
    assert!(receipt.entry.starts_with(b"age-v1.2.1-darwin-arm64.tar.gz"));
    assert_eq!((receipt.index, receipt.path.len()), (73_894, 5));
    assert_eq!(receipt.path[4], note::decode_hash("AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=").unwrap());
    assert_eq!(receipt.encode(), PROOF);
    // Its signatures are cut short, so nobody signed it; and five hashes do not reach that root.
    let signer = signer("example.com/fancylog", 1);
    assert!(matches!(receipt.check(&keys(&signer)), Err(ReceiptFault::Checkpoint(NoteFault::Malformed(_)))));
    let (root, needed) = (
        note::decode_hash("sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=").unwrap(),
        merkle::inclusion_plan(73_894, 109_482).unwrap(),
    );
    let signed = Receipt { checkpoint_note: signer.sign_checkpoint(109_482, root), ..receipt };
    assert!(matches!(signed.check(&keys(&signer)), Err(ReceiptFault::NotIncluded)));
    let hashes = vec![root; needed.nodes().len()];
    assert_eq!(needed.assemble(&hashes).len(), 17);
    // The same lines under a name that we do not know.
    assert!(signed.check(&keys(&crate::place::signer(ORIGIN, 1))).is_err());
}
