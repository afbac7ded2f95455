//! The archive of the thirty years as it begins: fonds, the schedule, files, and the records in them.

use crate::{
    retention::{Kept, Life, ORIGIN, YEARS, archivist, arranger, config, moment, told, who},
    retention_model::Model,
    retention_rows::{Plan, short},
};
use futures::stream;
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, atomic::AtomicI64},
};
use vankho::{
    archive::{Archive, Clock, place},
    arrangement,
    disposition::schedules,
    exchange::shipped,
    ingest::{self, Fate},
    record::{
        actor::Role,
        digest::Digest,
        file::About,
        file_state::FileAct,
        filecode::FileCode,
        fonds,
        id::{RecordId, ScheduleId},
        metadata::Metadata,
        package::{Package, Source},
        retention::{day::Day, schedule::Draft},
        term::ClassRef,
        unit::Unit,
    },
};

impl Life {
    /// Founds an archive with a fonds for every agency and the schedule, which a person has compared and a head approves.
    pub async fn begin(data: &Path, model: Model, agencies: &[String]) -> Life {
        let micros = Arc::new(AtomicI64::new(moment(*YEARS.start())));
        let (clock, config) = (Clock::Moved(micros.clone()), config());
        place::init(data, &config.storage, ORIGIN, &clock).await.unwrap();
        let archive = Archive::open(data, config, clock, &|_| {}).await.unwrap();
        let mut fonds = Vec::new();
        for (name, n) in agencies.iter().zip(1..) {
            let code = format!("CQ{n:02}");
            let about = fonds::About {
                code: code.clone(),
                name: format!("Phông {name}"),
                kind: fonds::Kind::Fonds,
                creator: code.parse().unwrap(),
                custodians: Vec::new(),
                history: None,
                started: None,
                ended: None,
                groups: Vec::new(),
                languages: vec!["01".into()],
                security_copy: None,
                note: None,
                closed: None,
            };
            let opened = arrangement::open_fonds(&archive, &arranger(), about, None).await.unwrap();
            let Unit::Fonds(id) = opened.unit else { panic!("{opened:?}") };
            fonds.push((code, id));
        }
        Life { archive, micros, model, fonds, kept: Vec::new(), held: Vec::new() }
    }

    async fn schedule(&self) -> ScheduleId {
        let draft = shipped::schedules().unwrap().remove(0);
        assert_eq!(draft.classes.len(), self.model.len(), "the table that is shipped and the printed one");
        let draft = Draft { incomplete: false, ..draft };
        let done = schedules::open_schedule(&self.archive, &archivist(), draft).await.unwrap();
        let Unit::Schedule(id) = done.unit else { panic!("{done:?}") };
        let (head, today) = (who(20, Role::Head), Day::in_vietnam(self.archive.clock.now()));
        schedules::approve_schedule(&self.archive, &head, id, "01/QĐ-LT", today).await.unwrap();
        id
    }

    /// Opens the files, takes the records in, closes the files.
    pub async fn fill(&mut self, plans: Vec<Plan>) {
        let schedule = self.schedule().await;
        let class = |class: &str| ClassRef { schedule, version: 1, class: class.into() };
        let (mut packages, mut opened) = (Vec::new(), Vec::new());
        for (n, plan) in plans.iter().enumerate() {
            let (code, fonds) = &self.fonds[plan.fonds];
            let notation = format!("{}{}.T{}", short(plan.kind), plan.unit.class, plan.volume);
            let file = FileCode::new(code, plan.year as u16, &notation).unwrap().to_string();
            for (ordinal, row) in (1..).zip(&plan.rows) {
                let inside = plan.unit.inside.first().filter(|_| ordinal == 1);
                let own = if plan.loose { Some(&plan.unit.class) } else { inside };
                let facts = own.map(|_| told("work_ended", plan.year)).into_iter().collect();
                let metadata = Metadata {
                    subject: row.subject.clone(),
                    external_id: Some(row.id.clone()),
                    number: Some(row.number.clone()).filter(|number| !number.is_empty()),
                    agency: Some(row.agency.clone()),
                    kind: Some(row.kind.into()),
                    issued: format!("{}", row.year).parse().ok(),
                    languages: vec!["01".into()],
                    pages: Some(1),
                    fonds: Some(code.clone()),
                    file: (!plan.loose).then(|| file.clone()),
                    file_ordinal: (!plan.loose).then_some(ordinal),
                    loose_reason: plan.loose.then(|| "Văn bản gửi để biết".into()),
                    class: own.map(|own| class(own)),
                    facts,
                    ..Metadata::default()
                };
                let components = vec![Source::Text { text: row.text.clone() }];
                let (row, identity) = (packages.len() as u64 + 1, Digest::of(row.id.as_bytes()));
                packages.push(Package { row, identity, metadata, components, findings: Vec::new() });
            }
            opened.push(match plan.loose {
                true => None,
                false => {
                    let about = About {
                        code: Some(file),
                        title: format!("Tập {} năm {}, hồ sơ số {}", plan.kind.to_lowercase(), plan.year, n + 1),
                        languages: vec!["01".into()],
                        started: format!("{}", plan.year).parse().ok(),
                        ended: format!("{}", plan.year).parse().ok(),
                        maker: Some("Cao Văn Nghĩa".into()),
                        class: Some(class(&plan.unit.class)),
                        ..About::default()
                    };
                    Some(arrangement::open_file(&self.archive, &arranger(), *fonds, about).await.unwrap().unit)
                }
            });
        }
        let mut records = self.take_in(packages).await;
        for (plan, file) in plans.into_iter().zip(opened) {
            let records: Vec<RecordId> = plan.rows.iter().map(|row| records.remove(&row.id).expect("kept")).collect();
            if let Some(Unit::File(file)) = file {
                arrangement::act(&self.archive, &arranger(), file, &FileAct::Close).await.unwrap();
            }
            let unit = file.unwrap_or_else(|| records[0].into());
            self.kept.push(Kept { plan, unit, records });
        }
    }

    async fn take_in(&self, packages: Vec<Package>) -> HashMap<String, RecordId> {
        let (count, mut kept) = (packages.len(), HashMap::new());
        let mut hear = |outcome: ingest::Outcome| match outcome.fate {
            Fate::Kept { record, .. } => drop(kept.insert(outcome.external_id.unwrap_or_default(), record)),
            Fate::Refused(findings) => panic!("{:?}: {findings:?}", outcome.external_id),
        };
        ingest::receive(&self.archive, "corpus", stream::iter(packages), &mut hear).await.unwrap();
        assert_eq!(kept.len(), count, "every row is kept under its own identifier");
        kept
    }
}
