//! The end of a life: everything is there again, nothing goes wrong any more, and it is held against the model.

use crate::{
    decay::whole,
    faulty::Process,
    life::{Life, Machine},
    model::Found,
    world::{Acknowledged, examine},
};
use std::sync::atomic::Ordering;
use vankho::{
    archive::{Archive, Clock},
    ledger::commit::Commit,
    record::entry::Entry,
    store::{Place, Replicas, Standing, Store, layout},
    verify::archive::verify_archive,
};

/// What the archive says of a disk that was replaced while somebody wrote to it.
const LITTERED: &str = "it is not empty, and holds no archive";

/// What it says of a ledger that lacks what a desk remembers.
const GIVEN_OUT: &str = "was given out";

impl Life {
    /// Everything is there again, nothing goes wrong any more: what holds?
    pub async fn ends(&mut self) -> Found {
        for n in 0..2 {
            self.kill(n).await;
        }
        self.disks.iter().for_each(|disk| disk.set_up(true));
        // What lies in staging and belongs to nobody has come of age.
        let days = self.config.ingest.staging_age_days_max as i64 + 1;
        let now = Clock::System.now().micros();
        self.micros.fetch_max(now + days * 86_400_000_000, Ordering::SeqCst);
        let mut found = Found::default();
        for n in [1, 0] {
            if n == 0 && (self.without_old && self.model.required == 1 || self.decays) {
                // Descriptions that the lost primary alone had, or that were unreadable at the only place that answered
                // when the catalog was built, are there again: people have it built anew.
                for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                    std::fs::remove_file(self.machines[n].file(name)).unwrap_or_default();
                }
            }
            if let Err(why) = self.set_right(n).await {
                found.faults.push(why);
                return found;
            }
        }
        let Some((live, _)) = self.machines[0].open.take() else { return found };
        // What decayed is found and put back by the rounds that read everything.
        whole(&live).await;
        live.healing.round(&|_, _| {}).await;
        self.strays(&live, &mut found).await;
        found.kept = live.catalog.records(0, u32::MAX).await.unwrap().iter().map(|one| one.record).collect();
        self.one_history(&live, &mut found).await;
        let fresh = Machine::new();
        match self.start(&fresh, &Process::default(), None).await {
            Ok(rebuilt) => {
                let kept = |one: &&Acknowledged| found.kept.contains(&one.record);
                let acknowledged: Vec<_> = self.model.acknowledged.iter().filter(kept).cloned().collect();
                found.faults.extend(examine(&live, &rebuilt, &acknowledged).await);
                rebuilt.close().await.unwrap();
            }
            Err(error) => found.faults.push(format!("the archive cannot be rebuilt: {error}")),
        }
        live.close().await.unwrap();
        let litter = |fault: &str| fault.contains("does not belong here") || fault.contains("is under way");
        // Objects of records that were left behind with a lost primary belong nowhere, and are told.
        let left_behind = |fault: &str| {
            self.model.required == 1 && found.strays.iter().any(|record| fault.contains(&record.to_string()))
        };
        found.faults = std::mem::take(&mut found.faults)
            .into_iter()
            .filter(|fault| !litter(fault) || !self.litter && !left_behind(fault))
            .collect();
        found
    }

    /// What people do when the archive does not open: they read what it says, and promote another place.
    async fn set_right(&mut self, n: usize) -> Result<(), String> {
        let mut told = Vec::new();
        for attempt in 0..6 {
            let process = Process::default();
            match self.start(&self.machines[n], &process, None).await {
                Ok(archive) => {
                    archive.healing.round(&|_, _| {}).await;
                    let debts = archive.healing.debts().await.unwrap_or_default();
                    for debt in debts.iter().filter(|debt| debt.why.as_ref().is_some_and(|why| why.contains(LITTERED)))
                    {
                        self.replace(debt.number).await;
                    }
                    archive.healing.round(&|_, _| {}).await;
                    self.tell(format!("in the end machine {n} opens at place {}", archive.store.number()));
                    match n {
                        0 => self.machines[0].open = Some((archive, process)),
                        _ => archive.close().await.map_err(|error| format!("machine {n} does not close: {error}"))?,
                    }
                    return Ok(());
                }
                Err(error) => told.push(error.to_string()),
            }
            // A disk that was emptied, and that a process went on writing to, has to be emptied again.
            for number in self.model.hurt.clone() {
                if told.iter().any(|told| told.contains(LITTERED)) {
                    self.replace(number).await;
                }
            }
            // Where one place is enough, a promotion without the old primary may leave behind what this desk knows to
            // have been given out. The loss was vouched for: people take it.
            let loss_is_taken =
                self.model.required == 1 && self.without_old && told.iter().any(|told| told.contains(GIVEN_OUT));
            let to = 1 + attempt % self.disks.len() as u32;
            if let Err(error) = self.promote_to(n, to, true, loss_is_taken, &Process::default()).await {
                told.push(format!("promoting place {to}: {error}"));
            }
        }
        Err(format!("machine {n} cannot open in the end:\n    {}", told.join("\n    ")))
    }

    /// Places that hold another history: they are told, and what only they have is found there.
    async fn strays(&self, live: &Archive, found: &mut Found) {
        for debt in live.healing.debts().await.unwrap() {
            match (debt.standing, debt.entries) {
                (Standing::Taking, 0) => {}
                (Standing::Diverged, _) if debt.why.as_ref().is_some_and(|why| why.contains("not merged")) => {
                    let place = Place::over(self.disk(debt.number).objects(), "astray");
                    let (mut base, mut strays) = (0, 0);
                    while let Ok(bytes) = place.read(&layout::commit(base)).await {
                        let Ok(commit) = Commit::parse(&bytes, base, live.ledger.keys()) else { break };
                        let ours = live.store.primary().read(&layout::commit(base)).await;
                        if ours.is_err() || ours.is_ok_and(|ours| ours != bytes) {
                            strays += 1;
                            let records = commit.entries.iter().filter_map(|entry| Entry::from_bytes(entry).ok());
                            found.strays.extend(records.filter_map(|entry| entry.event.record()));
                        }
                        base = commit.size;
                    }
                    if strays == 0 {
                        found.faults.push(format!("place {} is called another history and is none", debt.number));
                    }
                }
                _ => found.faults.push(format!("place {} is not whole in the end: {debt:?}", debt.number)),
            }
        }
    }

    /// Every place but those has the same commits, and is an archive that holds.
    async fn one_history(&self, live: &Archive, found: &mut Found) {
        for replica in live.store.replicas().all().iter().filter(|replica| replica.standing() == Standing::Taking) {
            let (place, primary) = (Place::over(self.disk(replica.number).objects(), "place"), live.store.primary());
            for listed in place.everything(layout::COMMITS).await.unwrap() {
                if primary.read(&listed.path).await.ok() != place.read(&listed.path).await.ok() {
                    found.faults.push(format!("place {}: {} is not the primary's", replica.number, listed.path));
                }
            }
            let report = verify_archive(&Store::of(place, replica.number, Replicas::default()), &[], &|_, _| {}).await;
            found.faults.extend(report.faults.iter().map(|fault| format!("place {}: {fault}", replica.number)));
        }
    }
}
