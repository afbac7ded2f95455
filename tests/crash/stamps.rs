//! Timestamping fails at every durable step, kept and not kept, once and with the death of the process: nothing is lost,
//! nothing is left that no entry names, and the next one is stamped.
//!
//! A usual run takes a third of the steps, which `VANKHO_SEED` chooses; `VANKHO_FULL=1` takes all.

use crate::authority::Authority;
use crate::faulty::{Effect, Faulty, Plan};
use crate::world::World;
use object_store::ObjectStore;
use std::sync::Arc;
use vankho::{archive::ArchiveError, evidence::timestamps, record::stamp::AuthorityCode};

/// A founded archive in memory that this authority stamps.
async fn founded(authority: &Authority) -> World {
    let mut world = World::founded().await;
    world.config.evidence.authorities = vec![authority.configured("thu")];
    world
}

/// Opens the archive, has its newest checkpoint stamped, and closes it.
async fn stamped(world: &World, objects: Arc<dyn ObjectStore>) -> Result<bool, ArchiveError> {
    let archive = world.open_over(objects, world.data.path()).await?;
    let asked = timestamps::once(&archive).await;
    let code = AuthorityCode::try_from("thu".to_owned()).unwrap();
    let there = archive.catalog.last_timestamp(&code).await?.is_some();
    archive.close().await?;
    Ok(there && asked.iter().all(|(_, stamped)| stamped.is_ok()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_timestamp_may_fail() {
    let world = World::memory();
    let authority = Authority::start(&world.micros, "ec", 3000);
    let reference = {
        let world = founded(&authority).await;
        let faulty = Faulty::new(world.objects.clone().unwrap(), None);
        assert!(stamped(&world, Arc::new(faulty.clone())).await.unwrap());
        world.check().await;
        faulty.steps()
    };
    let tokens = reference.iter().filter(|step| step.contains("timestamps") || step.contains("tsr")).count();
    assert!(reference.len() > 8, "{reference:?}");
    let full = std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1");
    let seed: usize = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut cases, mut failures) = (0, Vec::new());
    for at in (0..reference.len()).filter(|at| full || (at + seed).is_multiple_of(3)) {
        for (effect, dies) in
            [(Effect::NotKept, false), (Effect::NotKept, true), (Effect::Kept, false), (Effect::Kept, true)]
        {
            let world = founded(&authority).await;
            let objects = world.objects.clone().unwrap();
            let faulty = Faulty::new(objects.clone(), Some(Plan { at, effect, dies }));
            stamped(&world, Arc::new(faulty.clone())).await.ok();
            faulty.kill();
            let named = format!("{} {effect:?} dies: {dies}", reference[at]);
            match stamped(&world, objects).await {
                Ok(true) => failures.extend(world.faults().await.into_iter().map(|fault| format!("{named}: {fault}"))),
                other => failures.push(format!("{named}: it is not stamped afterwards: {other:?}")),
            }
            cases += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    eprintln!("{} durable steps, {tokens} of them of tokens, {cases} cases, seed {seed}", reference.len());
}
