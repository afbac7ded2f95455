//! The lists that lie in the dossier of a destruction (TT 06/2025/TT-BNV Annex II) as pure data: what the council considers,
//! and what is destroyed by the head's decision.

use crate::record::{
    day,
    disposition::case::{Case, Ground, Listed, Unit},
    form::{Row, Table},
};

/// Which list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// Danh mục hồ sơ, tài liệu xem xét hủy: everything on the list.
    Considered,
    /// Danh mục hồ sơ, tài liệu hủy: what the head decided to destroy.
    Destruction,
}

impl List {
    /// By its name in an address.
    pub fn read(name: &str) -> Option<List> {
        match name {
            "considered" => Some(List::Considered),
            "destruction" => Some(List::Destruction),
            _ => None,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            List::Considered => "DANH MỤC HỒ SƠ, TÀI LIỆU XEM XÉT HỦY",
            List::Destruction => "DANH MỤC HỒ SƠ, TÀI LIỆU HỦY",
        }
    }
}

/// How a unit is named on paper; without a title where whoever prints may not read it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    pub code: Option<String>,
    pub title: Option<String>,
}

/// The columns of both lists.
pub const COLUMNS: [&str; 7] = [
    "STT",
    "Số, ký hiệu",
    "Tiêu đề hồ sơ, tài liệu",
    "Lý do xét hủy",
    "Kiến nghị của Hội đồng",
    "Quyết định",
    "Tình trạng",
];

/// A list of a case.
pub fn list(case: &Case, which: List, named: impl Fn(Unit) -> Named) -> Table {
    let listed: Vec<&Listed> =
        case.listed.iter().filter(|one| which == List::Considered || one.is_to_be_destroyed()).collect();
    let row = |(n, one): (usize, &&Listed)| {
        let Named { code, title } = named(one.unit);
        let proposal = one.proposal.as_ref().map(|proposal| proposal.outcome.vi().to_owned());
        let decided = one.decided.as_ref().map(|outcome| outcome.vi().to_owned());
        Row::Cells(vec![
            (n + 1).to_string(),
            code.unwrap_or_else(|| identifier(one.unit)),
            title.unwrap_or_default(),
            ground(&one.ground),
            proposal.unwrap_or_default(),
            decided.unwrap_or_default(),
            one.status().0.to_owned(),
        ])
    };
    let rows = listed.iter().enumerate().map(row).collect();
    let decision = case.decision.as_ref().filter(|_| which == List::Destruction).map(|decision| {
        let number = decision.paper.number.as_deref().unwrap_or_default();
        format!("(Kèm theo Quyết định số {number} ngày {})", day::words(decision.paper.day))
    });
    let of = std::iter::once(format!("Của {}", case.agency)).chain(decision).collect();
    let sums = vec![format!("Danh mục này có {} hồ sơ, tài liệu.", listed.len())];
    Table { title: which.title(), of, columns: &COLUMNS, rows, sums }
}

fn identifier(unit: Unit) -> String {
    match unit {
        Unit::File(file) => file.to_string(),
        Unit::Record(record) => record.to_string(),
    }
}

fn ground(ground: &Ground) -> String {
    match ground {
        Ground::Expired { due, class, .. } => {
            format!("Hết thời hạn lưu trữ từ ngày {} theo mục {class}", day::words(*due))
        }
        Ground::Duplicate { kept, .. } => format!("Trùng lặp, giữ lại tài liệu {kept}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        disposition::case::Outcome,
        document::Salt,
        id::{ActorId, CaseId, FileId, RecordId},
    };

    #[test]
    fn the_list_of_destruction_has_what_is_to_be_destroyed() {
        let mut case = Case::new(CaseId::new(0, [1; 10]), "Sở Nội vụ", false, Salt::new([0; 32]));
        let ground = Ground::Duplicate { kept: RecordId::new(0, [2; 10]), found_by: ActorId::new(0, [3; 10]) };
        for (n, decided) in [(4, Outcome::Destroy), (5, Outcome::KeepLonger { until: None })] {
            case.listed.push(Listed {
                unit: Unit::File(FileId::new(0, [n; 10])),
                ground: ground.clone(),
                opinions: vec![],
                proposal: None,
                decided: Some(decided),
                ordered: None,
                certificates: vec![],
            });
        }
        let named = |_| Named { code: Some("160".into()), title: None };
        assert_eq!(list(&case, List::Considered, named).rows.len(), 2);
        let table = list(&case, List::Destruction, named);
        let Row::Cells(cells) = &table.rows[0] else { panic!("a row has cells") };
        assert_eq!((table.rows.len(), cells.len(), cells[1].as_str()), (1, COLUMNS.len(), "160"));
        assert_eq!((cells[5].as_str(), cells[6].as_str()), ("hủy", "Chờ hủy"));
        assert!(cells[3].starts_with("Trùng lặp"));
    }
}
