//! The papers of a case, looked up and written into a folder as HTML.

use crate::cli::{CommandError, cases::in_force, reach::Reach, show::Screen};
use crate::exchange::dossier::gather;
use crate::record::{disposition::case::Stage, id::CaseId};
use clap::Args;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The papers by the names that a server has for them.
const PAPERS: [&str; 8] = [
    "1-danh-muc",
    "2-thuyet-minh",
    "3-quyet-dinh-hoi-dong",
    "4-bien-ban-hop",
    "5-van-ban-tham-dinh",
    "6-quyet-dinh-huy",
    "7-bien-ban-ban-giao",
    "8-bien-ban-huy",
];

/// Whose papers they are.
#[derive(Args)]
pub struct Issued {
    /// The agency above / Cơ quan chủ quản
    #[arg(long)]
    parent: Option<String>,
    /// Where / Địa danh
    #[arg(long, default_value = "…………")]
    place: String,
    /// The name of the fonds / Tên phông
    #[arg(long)]
    fonds: Option<String>,
}

/// Writes the eight papers; what is there under these names is replaced.
pub async fn write(
    screen: &Screen,
    reach: &Reach,
    id: CaseId,
    (folder, issued): (&PathBuf, &Issued),
) -> Result<ExitCode, CommandError> {
    let Issued { parent, place, fonds } = issued;
    let papers: Vec<(&'static str, String)> = match reach {
        Reach::Here(archive) => {
            let (case, _) = in_force(reach, id).await?;
            let issued = gather::Issued { parent: parent.clone(), place: Some(place.clone()), fonds: fonds.clone() };
            gather::papers(archive, &case, issued, None).await?
        }
        Reach::There(server) => {
            let said = [("parent", parent.as_ref()), ("place", Some(place)), ("fonds", fonds.as_ref())];
            let said: Vec<(&str, &String)> = said.into_iter().filter_map(|(name, said)| Some((name, said?))).collect();
            let mut papers = Vec::new();
            for name in PAPERS {
                let question = server.get(&format!("api/v1/cases/{id}/papers/{name}")).query(&said);
                papers.push((name, server.text(question).await?));
            }
            papers
        }
    };
    let file = |path: &Path| {
        let path = path.display().to_string();
        move |source| CommandError::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(file(folder))?;
    for (name, page) in papers {
        // If we stop here, some are written; the command writes them all again.
        let path = folder.join(format!("{name}.html"));
        std::fs::write(&path, page).map_err(file(&path))?;
        screen.answer(|| json!({"paper": name, "path": path}), || path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// How far a case is.
pub fn stage(screen: &Screen, stage: Stage) -> &'static str {
    match stage {
        Stage::Listed => screen.say("lập danh mục", "being listed"),
        Stage::Council => screen.say("Hội đồng đang xem xét", "before the council"),
        Stage::Reviewed => screen.say("đã họp Hội đồng", "reviewed"),
        Stage::Proposed => screen.say("đã kiến nghị", "proposed"),
        Stage::Appraised => screen.say("đã thẩm định", "appraised"),
        Stage::Decided => screen.say("đã quyết định, đang thực hiện", "decided, being executed"),
        Stage::Closed => screen.say("đã kết thúc", "closed"),
    }
}
