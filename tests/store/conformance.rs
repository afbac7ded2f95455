//! Every promise that the archive builds on, asked of every kind of storage alike.

use crate::{
    moto::Moto,
    server::Server,
    world::{World, examine, folder, signer},
};
use futures::{TryStreamExt, future::join_all};
use object_store::{ObjectStore, aws::AmazonS3Builder, memory::InMemory, prefix::PrefixStore};
use std::sync::Arc;
use vankho::{
    archive::place,
    record::digest::Digest,
    store::{Created, Place, Replicas, Standing, Store, StoreError, layout},
    verify::archive::verify_archive,
};

/// A place of each kind, and what must outlive it.
struct Kinds {
    server: Server,
    _moto: Moto,
    _folder: tempfile::TempDir,
    all: Vec<(&'static str, Place)>,
}

fn kinds() -> Kinds {
    let (server, moto, folder) = (Server::start(), Moto::start(), folder());
    let local = Place::local(folder.path()).unwrap();
    local.prepare().unwrap();
    let late = folder.path().join("late/tỉnh");
    let unmade = Place::local(&late).unwrap();
    std::fs::create_dir_all(&late).unwrap();
    unmade.prepare().unwrap();
    let all = vec![
        ("memory", Place::over(Arc::new(InMemory::new()), "memory")),
        ("disk", local),
        ("a disk that is mounted later", unmade),
        ("S3", Place::over(server.objects("a/b"), "S3")),
        ("S3 of moto", Place::over(moto.objects("a/b"), "S3 of moto")),
    ];
    Kinds { server, _moto: moto, _folder: folder, all }
}

impl Server {
    /// The bucket as `object_store` has it.
    pub fn objects(&self, prefix: &str) -> Arc<dyn ObjectStore> {
        let address = self.address("");
        let endpoint = address.split("endpoint=").nth(1).unwrap().split('&').next().unwrap();
        let [(_, key), (_, secret)] = Server::keys();
        let builder = AmazonS3Builder::new().with_bucket_name("kho").with_endpoint(endpoint).with_region("hn");
        let builder = builder.with_allow_http(true).with_access_key_id(key).with_secret_access_key(secret);
        let prefix = object_store::path::Path::parse(prefix).unwrap();
        Arc::new(PrefixStore::new(builder.build().unwrap(), prefix))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_kept_read_and_discarded() {
    for (kind, place) in kinds().all {
        for path in ["records/aa/x/one", "records/aa/x/two", "README.txt"] {
            place.keep(path, path.into()).await.unwrap();
            place.keep(path, path.into()).await.unwrap();
            assert_eq!(place.read(path).await.unwrap(), path, "{kind}");
            assert_eq!(place.digest(path).await.unwrap(), (Digest::of(path.as_bytes()), path.len() as u64), "{kind}");
        }
        place.keep("records/aa/x/empty", "".into()).await.unwrap();
        assert_eq!(place.digest("records/aa/x/empty").await.unwrap(), (Digest::of(b""), 0), "{kind}");
        let mut listed: Vec<_> = place.list("records/aa").unwrap().try_collect::<Vec<_>>().await.unwrap();
        listed.sort();
        let listed: Vec<_> = listed.iter().map(|one| (one.path.as_str(), one.size)).collect();
        let expected = [("records/aa/x/empty", 0), ("records/aa/x/one", 16), ("records/aa/x/two", 16)];
        assert_eq!(listed, expected, "{kind}");
        let names = place.names("").await.unwrap();
        assert!(
            names.contains(&"README.txt".to_owned()) && names.contains(&"records/".to_owned()),
            "{kind}: {names:?}"
        );
        for absent in ["records/aa/x/none", "none"] {
            assert!(matches!(place.read(absent).await, Err(StoreError::Absent(_))), "{kind}: {absent}");
            assert!(!place.has(absent).await.unwrap(), "{kind}: {absent}");
        }
        for _ in 0..2 {
            place.discard("records/aa/x/one").await.unwrap();
            assert!(!place.has("records/aa/x/one").await.unwrap(), "{kind}");
        }
        for wrong in ["../x", "a//b", "a/./b"] {
            assert!(matches!(place.keep(wrong, "x".into()).await, Err(StoreError::BadPath(_))), "{kind}: {wrong}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_create_one_object_one_wins_and_the_others_see_it() {
    for (kind, place) in kinds().all {
        for round in 0..20u64 {
            let path = layout::commit(round);
            let create = |n: u8| place.create(&path, vec![n; 100].into());
            let answers = join_all((0..8).map(create)).await;
            let winners: Vec<u8> =
                (0..8).filter(|n| *answers[usize::from(*n)].as_ref().unwrap() == Created::New).collect();
            assert_eq!(winners.len(), 1, "{kind}");
            let there = vec![winners[0]; 100];
            assert_eq!(place.read(&path).await.unwrap(), there, "{kind}");
            for answer in answers {
                assert!(matches!(answer.unwrap(), Created::New | Created::AlreadyThere(_)), "{kind}");
            }
            // One's own, again: an outcome that was unknown.
            assert_eq!(place.create(&path, there.into()).await.unwrap(), Created::New, "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_only_grows() {
    for (kind, place) in kinds().all {
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse::<u32>().unwrap();
        let write = |n: u32| {
            let place = place.clone();
            async move {
                let smaller = |there: Option<&[u8]>| there.is_none_or(|there| number(there) < n);
                place.replace(layout::CHECKPOINT, n.to_string().into(), smaller).await.unwrap()
            }
        };
        let wrote = join_all((1..=16).map(write)).await;
        assert!(wrote[15], "{kind}: the largest is never refused");
        assert_eq!(place.read(layout::CHECKPOINT).await.unwrap(), "16", "{kind}");
        assert!(!write(16).await, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_arrives_in_pieces_and_is_moved_to_its_name() {
    let bytes: Vec<u8> = (0..37_000_000u32).map(|n| (u64::from(n).pow(2) >> 11) as u8).collect();
    let digest = Digest::of(&bytes);
    for (kind, place) in kinds().all {
        let mut staged = place.stage("staging/x/0").await.unwrap();
        for piece in bytes.chunks(5_555_555) {
            staged.write(piece).await.unwrap();
        }
        staged.finish().await.unwrap();
        place.settle("staging/x/0", "records/aa/x/large", digest).await.unwrap();
        assert!(!place.has("staging/x/0").await.unwrap(), "{kind}");
        assert_eq!(place.digest("records/aa/x/large").await.unwrap(), (digest, bytes.len() as u64), "{kind}");
        let pieces = place.read_pieces("records/aa/x/large").await.unwrap().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(Digest::of(&pieces.concat()), digest, "{kind}");
        let mut given_up = place.stage("staging/y/0").await.unwrap();
        given_up.write(&bytes[..6_000_000]).await.unwrap();
        given_up.abort().await;
        assert!(!place.has("staging/y/0").await.unwrap(), "{kind}");
        let mut small = place.stage("staging/z/0").await.unwrap();
        small.write(b"x").await.unwrap();
        small.finish().await.unwrap();
        let wrong = place.settle("staging/z/0", "records/aa/z/wrong", digest).await;
        assert!(matches!(wrong, Err(StoreError::Differs { .. })), "{kind}: {wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_commit_is_found() {
    for (kind, place) in kinds().all {
        assert_eq!(place.commit_before(10_000).await.unwrap(), None, "{kind}");
        for base in [0, 3, 9_000] {
            place.create(&layout::commit(base), "x".into()).await.unwrap();
        }
        for (size, expected) in [(1, 0), (3, 0), (4, 3), (9_000, 3), (9_001, 9_000), (20_000, 9_000)] {
            assert_eq!(place.commit_before(size).await.unwrap(), Some(expected), "{kind}: {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_keeps_create_if_absent_may_be_a_primary() {
    for (kind, place) in kinds().all {
        place.probe("staging/probe").await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(place.everything("staging/probe").await.unwrap().is_empty(), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_lives_on_it() {
    let kinds = kinds();
    for (kind, objects) in
        [("memory", Arc::new(InMemory::new()) as Arc<dyn ObjectStore>), ("S3", kinds.server.objects("life"))]
    {
        let world = World::memory();
        let store = Store::over(objects.clone());
        place::found(&store, signer(), &world.clock()).await.unwrap();
        let live = world.open_over(objects.clone(), world.data.path()).await.unwrap();
        for n in 0..6 {
            world.file(&format!("in/{n}.txt"), format!("Quyết định số {n}"));
        }
        world.file("in/large.bin", vec![7; 300_000]);
        world.ingest_all(&live, &world.inbox.path().join("in")).await;
        let fresh = folder();
        let rebuilt = world.open_over(objects, fresh.path()).await.unwrap();
        let acknowledged = world.acknowledged.lock().unwrap().clone();
        let faults = examine(&live, &rebuilt, &acknowledged).await;
        assert!(faults.is_empty(), "{kind}: {faults:?}");
        rebuilt.close().await.unwrap();
        live.close().await.unwrap();
    }
}

/// A real server that says yes to several who create.
#[tokio::test(flavor = "multi_thread")]
async fn storage_without_create_if_absent_serves_as_a_replica_only() {
    let server = Server::lax();
    let lax = server.objects("replica");
    let refused = Place::over(lax.clone(), "lax").probe("staging/probe").await.unwrap_err();
    assert!(matches!(refused, StoreError::NoLock { winners: 2.. }), "{refused}");
    assert!(refused.to_string().contains("replica"), "{refused}");
    let world = World::memory();
    let objects = world.objects.clone().unwrap();
    place::found(&world.store(), signer(), &world.clock()).await.unwrap();
    let replicas = Replicas::new(vec![(2, Place::over(lax.clone(), "lax"))], 2, std::time::Duration::from_secs(5));
    let store = Store::of(Place::over(objects, "memory"), 1, replicas);
    let live = world.open_store(store.clone(), world.data.path()).await.unwrap();
    world.file("in/a.txt", "Nghị quyết");
    world.ingest_all(&live, &world.inbox.path().join("in")).await;
    assert_eq!(store.replicas().all()[0].standing(), Standing::Taking);
    live.close().await.unwrap();
    let report = verify_archive(&Store::of(Place::over(lax, "lax"), 2, Replicas::default()), &[], &|_, _| {}).await;
    assert!(report.faults.is_empty() && report.records == 1, "{report:?}");
    world.check().await;
}
