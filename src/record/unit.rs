//! A unit: whatever has descriptions of its own in the archive. A record is one; so are the fonds and the file that it
//! lies in, the schedule that says how long it lives, the hold that keeps it from its end, and the lists that it was
//! arranged by.
//!
//! # Why
//! *One way to keep a description.* A file's title can name a person just as a record's can: it is kept in a folder of
//! its own, salted, replaced by a newer one that names it, and named in the ledger by its digest alone. What keeps,
//! heals, verifies and carries descriptions asks for a unit and never for its kind. Only a record has components.

use crate::record::id::{
    BacklogId, CaseId, FileId, FondsId, HoldId, NotAnId, PlanId, RecordId, RegisterId, ScheduleId,
};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! units {
    ($($(#[$doc:meta])* $kind:ident $id:ident $name:literal $folder:literal $vi:literal)*) => {
        /// A unit by its kind: in JSON one member, which is named by the kind.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Unit {
            $($(#[$doc])* $kind($id),)*
        }

        /// What a unit can be.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Unit {
            pub fn kind(&self) -> Kind {
                match self { $(Unit::$kind(_) => Kind::$kind,)* }
            }

            /// The two hexadecimal digits that spread identifiers over folders.
            pub fn shard(&self) -> String {
                match self { $(Unit::$kind(id) => id.shard(),)* }
            }
        }

        impl Kind {
            pub const ALL: [Kind; [$(Kind::$kind),*].len()] = [$(Kind::$kind),*];

            /// The name, which is that of its member in entries and descriptions.
            pub fn as_str(&self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// The name in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $(Kind::$kind => $vi,)* }
            }

            /// The folder of all units of the kind.
            pub fn folder(&self) -> &'static str {
                match self { $(Kind::$kind => $folder,)* }
            }

            /// The unit of this kind that an identifier names.
            pub fn unit(&self, id: &str) -> Result<Unit, NotAnId> {
                Ok(match self { $(Kind::$kind => Unit::$kind(id.parse()?),)* })
            }
        }

        /// The identifier alone.
        impl fmt::Display for Unit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Unit::$kind(id) => id.fmt(f),)* }
            }
        }

        $(impl From<$id> for Unit {
            fn from(id: $id) -> Unit {
                Unit::$kind(id)
            }
        })*
    };
}

units! {
    /// One document.
    Record RecordId "record" "records" "tài liệu"
    /// All records of one creator.
    Fonds FondsId "fonds" "fonds" "phông lưu trữ"
    /// The archival dossier.
    File FileId "file" "files" "hồ sơ"
    /// The rules of retention.
    Schedule ScheduleId "schedule" "schedules" "bảng thời hạn lưu trữ"
    /// A legal stop on disposition.
    Hold HoldId "hold" "holds" "lệnh tạm dừng hủy"
    /// What one council reviews.
    Case CaseId "case" "cases" "hồ sơ xét hủy"
    /// Which files are to be made in a year.
    Plan PlanId "plan" "plans" "danh mục hồ sơ"
    /// What regroups the records of a fonds.
    Backlog BacklogId "backlog" "backlogs" "dự án chỉnh lý"
    /// Which agencies there are, and were.
    Register RegisterId "register" "registers" "danh bạ cơ quan"
}

impl Unit {
    /// The record that this is.
    pub fn record(&self) -> Option<RecordId> {
        match self {
            Unit::Record(record) => Some(*record),
            _ => None,
        }
    }
}

impl Kind {
    /// The name of the schema that its descriptions follow in this version.
    pub fn schema(&self) -> String {
        format!("{}.v1", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_one_member_named_by_its_kind() {
        let id = "019aaf1c-9b00-7707-8707-070707070707";
        for kind in Kind::ALL {
            let unit = kind.unit(id).unwrap();
            let json = format!(r#"{{"{}":"{id}"}}"#, kind.as_str());
            assert_eq!((unit.kind(), unit.to_string().as_str(), unit.shard().as_str()), (kind, id, "07"));
            assert_eq!(serde_json::to_string(&unit).unwrap(), json);
            assert_eq!(serde_json::from_str::<Unit>(&json).unwrap(), unit);
            assert_eq!(unit.record().is_some(), kind == Kind::Record);
            assert!(kind.unit("x").is_err());
        }
    }
}
