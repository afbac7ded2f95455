//! Tiles: where C2SP tlog-tiles keeps hashes and entries, as paths and bytes. Nothing here reads or writes.

use crate::ledger::merkle::{self, Node};
use crate::record::digest::Digest;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Where tiles of hashes lie in a place.
const TILES: &str = "log/tile/";
/// Where bundles of entries lie in a place.
const ENTRIES: &str = "log/tile/entries/";

/// Up to 256 consecutive hashes of one level: at level 0 of leaves, above it of full tiles one level below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    /// 0 to 63; 7 is the highest that a tree can reach.
    pub level: u8,
    pub n: u64,
    /// 1 to 256 hashes; fewer than 256 is a partial tile.
    pub width: u16,
}

/// Up to 256 consecutive entries: those whose hashes are level-0 tile `n`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bundle {
    pub n: u64,
    /// 1 to 256 entries; fewer than 256 is a partial bundle.
    pub width: u16,
}

/// What a path below `log/tile/` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    Tile(Tile),
    Bundle(Bundle),
}

impl Tile {
    /// `log/tile/<L>/<N>[.p/<W>]`.
    pub fn path(&self) -> String {
        format!("{TILES}{}/{}{}", self.level, index_path(self.n), suffix(self.width))
    }

    /// The folder of every partial tile that the full one takes the place of.
    pub fn partials_folder(&self) -> String {
        format!("{TILES}{}/{}.p", self.level, index_path(self.n))
    }

    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl Bundle {
    /// `log/tile/entries/<N>[.p/<W>]`.
    pub fn path(&self) -> String {
        format!("{ENTRIES}{}{}", index_path(self.n), suffix(self.width))
    }

    /// The folder of every partial bundle that the full one takes the place of.
    pub fn partials_folder(&self) -> String {
        format!("{ENTRIES}{}.p", index_path(self.n))
    }

    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The first entry's index in the log.
    pub fn first(&self) -> u64 {
        self.n * u64::from(TILE_WIDTH)
    }
}

/// 1234067 is `x001/x234/067`.
fn index_path(mut n: u64) -> String {
    let mut path = format!("{:03}", n % 1000);
    while n >= 1000 {
        n /= 1000;
        path = format!("x{:03}/{path}", n % 1000);
    }
    path
}

fn suffix(width: u16) -> String {
    if width == TILE_WIDTH { String::new() } else { format!(".p/{width}") }
}

/// What a path names; `None` for any path that [`Tile::path`] and [`Bundle::path`] do not write.
pub fn parse_path(path: &str) -> Option<Resource> {
    let read = |rest: &str| -> Option<(u64, u16)> {
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|w| (1..TILE_WIDTH).contains(w))?),
            None => (rest, TILE_WIDTH),
        };
        let digits: String = index.split('/').map(|part| part.trim_start_matches('x')).collect();
        Some((digits.parse().ok()?, width))
    };
    let resource = if let Some(rest) = path.strip_prefix(ENTRIES) {
        let (n, width) = read(rest)?;
        Resource::Bundle(Bundle { n, width })
    } else {
        let (level, rest) = path.strip_prefix(TILES)?.split_once('/')?;
        let (n, width) = read(rest)?;
        Resource::Tile(Tile { level: level.parse().ok().filter(|l| *l < 64)?, n, width })
    };
    // Reading is lenient and writing is not: what does not write back as it was is no path of ours.
    let again = match &resource {
        Resource::Tile(tile) => tile.path(),
        Resource::Bundle(bundle) => bundle.path(),
    };
    (again == path).then_some(resource)
}

/// Where a node is found: which tile, and which of its hashes the node is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Of the tile.
    pub level: u8,
    /// Of the tile.
    pub n: u64,
    /// The first of the tile's hashes, 0 to 255.
    pub first: usize,
    /// How many: a power of two, 1 to 128.
    pub count: usize,
}

/// The tile that a node is computed from.
pub fn tile_of(node: Node) -> Place {
    let rise = node.level % 8;
    // A node of a tree of fewer than 2^64 leaves cannot overflow here.
    let first = node.index << rise;
    let width = u64::from(TILE_WIDTH);
    Place { level: node.level / 8, n: first / width, first: (first % width) as usize, count: 1 << rise }
}

/// The node's hash from the hashes of its tile; `None` where a partial tile does not reach so far.
pub fn node_in_tile(node: Node, hashes: &[Digest]) -> Option<Digest> {
    let place = tile_of(node);
    merkle::perfect_root(hashes.get(place.first..place.first + place.count)?)
}

/// A tile's bytes: its hashes one after the other.
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// The hashes in a tile's bytes; `None` where their number is not `width`.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.iter().map(|h| Digest(*h)).collect())
}

/// A bundle's bytes: each entry behind its length in two bytes, the higher first. `None` where an entry is
/// too long for that; those of the ledger never are.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        bytes.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend(entry);
    }
    Some(bytes)
}

/// The entries in a bundle's bytes; `None` where they are cut short or their number is not `width`.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Option<Vec<Vec<u8>>> {
    let (mut rest, mut entries) = (bytes, Vec::new());
    while let Some((length, later)) = rest.split_first_chunk::<2>() {
        let (entry, later) = later.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry.to_vec());
        rest = later;
    }
    (rest.is_empty() && entries.len() == usize::from(width)).then_some(entries)
}

/// What must be written so that a log published at one size can be published at a larger one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Publication {
    /// Lowest level first, oldest first; a partial tile is the last of its level.
    pub tiles: Vec<Tile>,
    /// Oldest first; a partial bundle is the last.
    pub bundles: Vec<Bundle>,
}

impl Publication {
    /// Folders of partial tiles and bundles that have become full. They may go once the checkpoint of the
    /// new size is out; a publication that was cut short may have left widths there that nobody recorded,
    /// which is why these are folders and not single partials.
    pub fn superseded(&self) -> Vec<String> {
        let tiles = self.tiles.iter().filter(|t| t.is_full()).map(Tile::partials_folder);
        tiles.chain(self.bundles.iter().filter(|b| b.is_full()).map(Bundle::partials_folder)).collect()
    }
}

/// The tiles and bundles that a log of `new` leaves has and a log of `old` leaves has not. Empty where
/// `new` is not larger.
pub fn tiles_for(old: u64, new: u64) -> Publication {
    let width = u64::from(TILE_WIDTH);
    let mut publication = Publication::default();
    for level in 0..8 {
        let (had, has) = (old >> (8 * level), new >> (8 * level));
        if has <= had {
            break;
        }
        publication.tiles.extend((had / width..has / width).map(|n| Tile { level, n, width: TILE_WIDTH }));
        let partial = Tile { level, n: has / width, width: (has % width) as u16 };
        publication.tiles.extend(Some(partial).filter(|t| t.width > 0));
    }
    let leaves = publication.tiles.iter().filter(|t| t.level == 0);
    publication.bundles = leaves.map(|t| Bundle { n: t.n, width: t.width }).collect();
    publication
}

/// The partial tiles of a log of `size` leaves, lowest level first: all that an
/// [`Edge`](crate::ledger::edge::Edge) is loaded from.
pub fn partials(size: u64) -> Vec<Tile> {
    let row = |level: u8| {
        let hashes = size >> (8 * level);
        Tile { level, n: hashes / u64::from(TILE_WIDTH), width: (hashes % u64::from(TILE_WIDTH)) as u16 }
    };
    (0..8).map(row).filter(|t| t.width > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let cases = [
            (Tile { level: 0, n: 1234067, width: 256 }, "log/tile/0/x001/x234/067"),
            (Tile { level: 0, n: 273, width: 112 }, "log/tile/0/273.p/112"),
            (Tile { level: 63, n: 0, width: 1 }, "log/tile/63/000.p/1"),
            (Tile { level: 1, n: 1000, width: 255 }, "log/tile/1/x001/000.p/255"),
        ];
        for (tile, path) in cases {
            assert_eq!((tile.path().as_str(), parse_path(path)), (path, Some(Resource::Tile(tile))));
        }
        let bundle = Bundle { n: u64::MAX, width: 7 };
        assert_eq!(bundle.path(), "log/tile/entries/x018/x446/x744/x073/x709/x551/615.p/7");
        assert_eq!(parse_path(&bundle.path()), Some(Resource::Bundle(bundle)));
        assert_eq!(cases[3].0.partials_folder(), "log/tile/1/x001/000.p");
    }

    #[test]
    fn other_paths_are_refused() {
        for wrong in [
            "log/tile/0/0",
            "log/tile/00/000",
            "log/tile/64/000",
            "log/tile/0/x000/000",
            "log/tile/0/001/000",
            "log/tile/0/x001",
            "log/tile/0/xx01/000",
            "log/tile/0/000.p/0",
            "log/tile/0/000.p/256",
            "log/tile/0/000.p/01",
            "log/tile/0/000.p/1/",
            "log/tile/0/000/",
            "log/tile/+1/000",
            "log/tile/0/+00",
            "log/tile/entries/x999/x999/x999/x999/x999/x999/999",
            "log/tile/entries/",
            "log/tile/",
            "tile/0/000",
            "",
        ] {
            assert_eq!(parse_path(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn seventy_thousand_leaves_as_the_specification_counts_them() {
        let publication = tiles_for(0, 70_000);
        let count = |level, full| publication.tiles.iter().filter(|t| t.level == level && t.is_full() == full).count();
        assert_eq!((count(0, true), count(1, true), count(2, true)), (273, 1, 0));
        let widths: Vec<_> = partials(70_000).iter().map(|t| (t.level, t.n, t.width)).collect();
        assert_eq!(widths, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
        assert_eq!(publication.superseded().len(), 273 + 1 + 273);
        assert_eq!(partials(256), [Tile { level: 1, n: 0, width: 1 }]);
        assert_eq!(tiles_for(0, 0), Publication::default());
        assert_eq!(tiles_for(9, 9), Publication::default());
        let step = tiles_for(255, 257);
        let tile = |level, n, width| Tile { level, n, width };
        assert_eq!(step.tiles, [tile(0, 0, 256), tile(0, 1, 1), tile(1, 0, 1)]);
        assert_eq!(step.superseded(), ["log/tile/0/000.p", "log/tile/entries/000.p"]);
        assert_eq!(tiles_for(u64::MAX - 1, u64::MAX).tiles.len(), 1);
    }

    #[test]
    fn bundles_and_tiles_are_read_back() {
        let entries: [&[u8]; 3] = [b"a", b"", &[7; 4096]];
        let bytes = encode_bundle(&entries).unwrap();
        assert_eq!(bytes[..5], [0, 1, b'a', 0, 0]);
        assert_eq!(decode_bundle(&bytes, 3).unwrap(), entries);
        assert_eq!((decode_bundle(&bytes, 2), decode_bundle(&bytes[..bytes.len() - 1], 3)), (None, None));
        assert_eq!((decode_bundle(&[0], 0), decode_bundle(&[], 0)), (None, Some(vec![])));
        assert_eq!(encode_bundle(&[vec![0; 65_536]]), None);
        let hashes = [Digest::of(b"1"), Digest::of(b"2")];
        assert_eq!(decode_hashes(&encode_hashes(&hashes), 2).unwrap(), hashes);
        assert_eq!((decode_hashes(&[0; 64], 1), decode_hashes(&[0; 63], 1)), (None, None));
    }

    #[test]
    fn nodes_are_found_in_their_tiles() {
        let place = |level, index| {
            let Place { level, n, first, count } = tile_of(Node { level, index });
            (level, n, first, count)
        };
        assert_eq!(place(0, 257), (0, 1, 1, 1));
        assert_eq!(place(7, 3), (0, 1, 128, 128));
        assert_eq!(place(8, 300), (1, 1, 44, 1));
        assert_eq!(place(63, 1), (7, 0, 128, 128));
        assert_eq!(node_in_tile(Node { level: 1, index: 1 }, &[Digest::of(b""); 3]), None);
    }
}
