//! `vankho verify archive` and `vankho verify ledger`: everything in a place, or its ledger alone. They read only, and
//! the archive is not opened.

use crate::archive::{ArchiveError, places::Places, timestamps, witnesses};
use crate::cli::{CommandError, Context, or_cancelled, show::Screen, verify};
use crate::ledger::{authority::Certificates, checkpoint::Checkpoint, keys::KeyFile};
use crate::store::{Store, StoreError, layout};
use crate::verify::{
    archive::{Report, Scope, Trusted, audit},
    policy::Policy,
};
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Which place is looked at, and what is known of it from elsewhere
#[derive(Args)]
pub struct Whole {
    /// The archive's public keys, obtained from elsewhere [default: as the archive itself tells them]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Receipts or checkpoints that were kept: the ledger must go on from each of them
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
    /// Which witnesses must have cosigned the newest checkpoint; FORMAT.md tells the form
    #[arg(long, value_name = "POLICYFILE")]
    witnesses: Option<PathBuf>,
    /// Certificates of the timestamping authorities, PEM, obtained from them [default: those in evidence.authorities]
    #[arg(long, value_name = "PEM")]
    authorities: Option<PathBuf>,
    /// Which of the places in storage.places [default: the one that decides the order of entries]
    #[arg(long, value_name = "NUMBER")]
    place: Option<u32>,
}

impl Whole {
    pub async fn run(self, context: &Context, scope: Scope) -> Result<ExitCode, CommandError> {
        let places = Places::configured(&context.data, &context.config.storage)?;
        let store = places.alone(self.place).await?;
        expect_archive(&store)?;
        let trusted = self.trusted(context, &store).await?;
        let screen = context.screen;
        let bar = screen.counting(screen.say("Kiểm tra", "Verifying"), Some(0));
        let tell = {
            let bar = bar.clone();
            move |done, of| bar.set_of(done, of)
        };
        let asked = async { Ok::<_, CommandError>(audit(&store, scope, &trusted, &tell).await) };
        let report = or_cancelled(asked).await?;
        bar.finish();
        let own_keys = trusted.keys.is_none();
        screen.answer(
            || json!({"outcome": report.outcome().exit_code(), "report": report}),
            || text(&screen, &report, scope, own_keys),
        );
        Ok(ExitCode::from(report.outcome().exit_code()))
    }

    async fn trusted(&self, context: &Context, store: &Store) -> Result<Trusted, CommandError> {
        let keys = match &self.keys {
            Some(path) => Some(verify::key_file(&verify::read_file(path)?)?),
            None => None,
        };
        let policy = match &self.witnesses {
            Some(path) => Some(policy(&verify::read_file(path)?)?),
            None => None,
        };
        let mut known: Vec<(String, Checkpoint)> = Vec::new();
        // Where the archive has no keys that can be read, that is what is wrong with it, and ends the matter.
        let own = match &keys {
            None if !self.known.is_empty() => own_keys(store).await?,
            _ => None,
        };
        if let Some(keys) = keys.as_ref().or(own.as_ref()) {
            for path in &self.known {
                known.push((path.display().to_string(), verify::state(path, keys)?));
            }
        }
        let evidence = &context.config.evidence;
        let witnesses = witnesses::configured(evidence)?.into_iter().map(|witness| witness.key).collect();
        let authorities = match &self.authorities {
            Some(path) => Some(certificates(&verify::read_file(path)?)?),
            None => timestamps::configured(evidence)?.into_iter().map(|one| one.certificates).reduce(Certificates::and),
        };
        Ok(Trusted { keys, known, witnesses, policy, authorities })
    }
}

/// The keys as the archive tells them itself; `None` where there are none.
async fn own_keys(store: &Store) -> Result<Option<KeyFile>, CommandError> {
    match store.read(layout::KEYS).await {
        Ok(bytes) => Ok(verify::key_file(&bytes).ok()),
        Err(StoreError::Absent(_) | StoreError::Disk { .. }) => Ok(None),
        Err(error) => Err(ArchiveError::from(error).into()),
    }
}

fn certificates(pem: &[u8]) -> Result<Certificates, CommandError> {
    Certificates::parse(pem).map_err(|fault| {
        CommandError::usage(
            "không đọc được tệp chứng thư của tổ chức cấp dấu thời gian (PEM)".into(),
            format!("the certificates of timestamping authorities: {fault}"),
        )
    })
}

fn policy(bytes: &[u8]) -> Result<Policy, CommandError> {
    Policy::parse(bytes).map_err(|fault| {
        CommandError::usage(
            "không đọc được tệp quy định bên chứng kiến; xem dạng tệp trong FORMAT.md".into(),
            format!("the policy of witnesses cannot be read ({fault}); its form is told in FORMAT.md"),
        )
    })
}

/// A folder that holds nothing of an archive is a slip, not a loss.
fn expect_archive(store: &Store) -> Result<(), CommandError> {
    let Some(place) = store.folder() else { return Ok(()) };
    if [layout::PLACE, "keys", "log"].iter().any(|name| place.join(name).symlink_metadata().is_ok()) {
        return Ok(());
    }
    let place = place.display();
    Err(CommandError::usage(
        format!("không có kho tại {place}; --data chỉ thư mục dữ liệu của kho"),
        format!("there is no archive at {place}; --data names the archive's data folder"),
    ))
}

fn text(screen: &Screen, report: &Report, scope: Scope, own_keys: bool) -> String {
    let mut lines: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    for path in &report.under_way {
        lines.push(format!(
            "{path}: {}",
            screen.say("đang ghi dở, chưa thuộc kho", "a write under way, not part of the archive yet")
        ));
    }
    let Report { entries, records, components, bytes, .. } = report;
    lines.push(match (scope, screen.say("vi", "en")) {
        (Scope::Ledger, "vi") => format!("{entries} sự kiện"),
        (Scope::Ledger, _) => format!("{entries} entries"),
        (_, "vi") => format!("{entries} sự kiện, {records} tài liệu, {components} tệp, {bytes} byte"),
        _ => format!("{entries} entries, {records} records, {components} components, {bytes} bytes"),
    });
    if own_keys {
        lines.push(verify::own_keys_told(screen).to_owned());
    }
    lines.push(verify::verdict(screen, report.outcome()).to_owned());
    lines.join("\n")
}
