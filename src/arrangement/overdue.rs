//! What has not been handed over: files whose work has ended, by unit and person, and those that are due soon.

use crate::archive::Archive;
use crate::arrangement::{ArrangementError, files::file};
use crate::record::{
    file::About,
    file_state::FileState,
    id::{FileId, FondsId},
    overdue::{self, Debt, Limits},
};

/// Files that are looked at at once.
const PAGE: u32 = 500;

/// Every file that is late or due soon (NĐ 30/2020/NĐ-CP art. 30 and Annex VI), of one fonds or of all.
pub async fn overdue(archive: &Archive, of: Option<FondsId>, limits: &Limits) -> Result<Vec<Debt>, ArrangementError> {
    let Ok(today) = archive.clock.now().day().parse() else { return Ok(Vec::new()) };
    let (mut files, mut after): (Vec<(FileId, FileState, About)>, String) = (Vec::new(), String::new());
    loop {
        let page = archive.catalog.to_hand_over(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.file.to_string();
        for known in page.iter().filter(|known| of.is_none_or(|of| known.fonds == of)) {
            // Whether it was digitised, by which the time is shorter, only the description says.
            if let Some((told, _)) = file(archive, known.file).await? {
                files.push((known.file, told.state, told.about.clone()));
            }
        }
    }
    let files = files.iter().map(|(id, state, about)| (*id, *state, about));
    Ok(overdue::overdue(files, today, limits))
}
