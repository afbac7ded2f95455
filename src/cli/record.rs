//! `vankho show`: one record, or what was said of it and when.

use crate::access::answer::{self, Opened, Said};
use crate::archive::Archive;
use crate::cli::{
    CommandError, Context,
    receipt::{named, unknown},
    show::Screen,
};
use crate::record::{access::Reader, component::Component, metadata::Metadata};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// Show a record: its description and its components
#[derive(Args)]
pub struct Show {
    /// Record identifier, or the depositor's own identifier
    record: String,
    /// What was said of it and when, oldest first
    #[arg(long)]
    history: bool,
}

/// What people read of a description.
#[derive(Deserialize)]
struct Read {
    metadata: Metadata,
    components: Vec<Component>,
}

impl Show {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let typed = &self.record;
        if self.history {
            let said = match &context.server {
                Some(server) => server.history(server.named(typed).await?).await?,
                None => self.direct(context, answer::history).await?,
            };
            let said = said.ok_or_else(|| unknown(typed))?;
            screen.answer(|| json!(said), || said.iter().map(|said| line(screen, said)).collect::<Vec<_>>().join("\n"));
            return Ok(ExitCode::SUCCESS);
        }
        let opened = match &context.server {
            Some(server) => server.opened(server.named(typed).await?).await?,
            None => self.direct(context, answer::opened).await?,
        };
        let opened = opened.ok_or_else(|| unknown(typed))?;
        screen.answer(|| json!(opened), || text(screen, &opened));
        Ok(ExitCode::SUCCESS)
    }

    /// Asks the archive that lies here. Its operator holds the files themselves: everything is shown.
    async fn direct<T>(
        &self,
        context: &Context,
        ask: impl AsyncFn(&Archive, &Reader, crate::record::id::RecordId) -> Result<Option<T>, crate::archive::ArchiveError>,
    ) -> Result<Option<T>, CommandError> {
        let archive = context.open().await?;
        let answer = match named(&archive, &self.record).await {
            Ok(record) => ask(&archive, &Reader::Cleared, record).await.map_err(CommandError::from),
            Err(error) => Err(error),
        };
        archive.close().await?;
        answer
    }
}

fn line(screen: &Screen, said: &Said) -> String {
    let event = match said.event.as_str() {
        "accessioned" => screen.say("tiếp nhận", "accessioned"),
        "described" => screen.say("mô tả", "described"),
        "characterized" => screen.say("đọc nội dung", "characterized"),
        other => other,
    };
    format!("{}\t{}\t{event}\t{}", said.entry, said.at, said.sha256)
}

fn text(screen: &Screen, opened: &Opened) -> String {
    let Ok(Read { metadata, components }) = serde_json::from_value::<Read>(opened.description.clone()) else {
        return opened.description.to_string();
    };
    let mut lines = vec![metadata.subject.clone()];
    let number = [metadata.number.as_deref(), metadata.notation.as_deref()];
    let number: Vec<&str> = number.into_iter().flatten().collect();
    for (name, value) in [
        (screen.say("Số, ký hiệu", "Number"), Some(number.join("/")).filter(|number| !number.is_empty())),
        (screen.say("Loại", "Type"), metadata.kind.clone()),
        (screen.say("Ngày ban hành", "Issued"), metadata.issued.map(|day| day.to_string())),
        (screen.say("Cơ quan", "Agency"), metadata.agency.clone()),
        (screen.say("Phông", "Fonds"), metadata.fonds.clone()),
        (screen.say("Hồ sơ", "File"), metadata.file.clone()),
        (screen.say("Mức độ tiếp cận", "Access"), Some(metadata.access.as_str().to_owned())),
        (screen.say("Mã của người nộp", "Depositor's identifier"), metadata.external_id.clone()),
        (screen.say("Tiếp nhận", "Accessioned"), Some(format!("{} ({})", opened.accessioned, opened.entry))),
        (screen.say("Mã", "Record"), Some(opened.record.clone())),
    ] {
        lines.extend(value.map(|value| format!("{name}: {value}")));
    }
    for Component { ordinal, original_name, size, sha256, format, .. } in &components {
        let name = original_name.as_deref().unwrap_or("–");
        lines.push(format!("{ordinal}. {name}  {}  {size}  {sha256}", format.mime));
    }
    lines.join("\n")
}
