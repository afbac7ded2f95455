//! Who acts: the roles, and what each may do.
//!
//! # Why
//! The rule is one pure table, [`Role::may`], and one reading right, [`Actor::reader`]. Whoever keeps the
//! accounts does not read the records: an administrator sees what the public sees.

use crate::record::{access::Reader, id::ActorId};
use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident $name:literal $vi:literal)*) => {
        /// What somebody is here for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role {
            $($(#[$doc])* $role,)*
        }

        impl Role {
            pub const ALL: &'static [Role] = &[$(Role::$role),*];

            /// The name as it is stored and typed.
            pub fn as_str(&self) -> &'static str {
                match self { $(Role::$role => $name,)* }
            }

            /// The name in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $(Role::$role => $vi,)* }
            }
        }
    };
}

roles! {
    /// Hands over the records of their own work.
    Depositor "depositor" "người lập hồ sơ"
    /// Receives and registers documents of an agency.
    RecordsClerk "records_clerk" "văn thư"
    /// Keeps the archive.
    Archivist "archivist" "lưu trữ viên"
    /// Reads for their work.
    Official "official" "công chức"
    /// Tests the archive and changes nothing.
    Auditor "auditor" "người kiểm tra"
    /// Decides for an agency.
    Head "head" "người đứng đầu"
    /// Keeps the accounts and the machine.
    Administrator "administrator" "quản trị hệ thống"
}

/// What somebody wants to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Search, open, read, take a receipt: as far as [`Actor::reader`] goes.
    Read,
    /// Hand over packages.
    Deposit,
    /// Take many records out at once.
    Export,
    /// Read the entries of the ledger.
    Audit,
    /// See how much there is and how it runs.
    Watch,
    /// Have the archive audited, and read the reports.
    Challenge,
    /// Open, describe and hand over fonds and files.
    Arrange,
    /// See how long things live, and take part in what becomes of them: which act is whose, the rules of each say.
    Dispose,
}

impl Role {
    /// A role by its name.
    pub fn read(name: &str) -> Option<Role> {
        Role::ALL.iter().find(|role| role.as_str() == name).copied()
    }

    /// May somebody in this role do this?
    pub fn may(&self, act: Act) -> bool {
        match act {
            Act::Read => true,
            Act::Deposit => matches!(self, Role::Depositor | Role::RecordsClerk | Role::Archivist),
            Act::Export => matches!(self, Role::Archivist | Role::Auditor | Role::Head),
            Act::Audit => matches!(self, Role::Auditor),
            Act::Watch => matches!(self, Role::Archivist | Role::Auditor | Role::Administrator),
            Act::Challenge => matches!(self, Role::Archivist | Role::Auditor),
            Act::Arrange => matches!(self, Role::Depositor | Role::RecordsClerk | Role::Archivist | Role::Head),
            Act::Dispose => !matches!(self, Role::Administrator | Role::Depositor),
        }
    }
}

/// Somebody who has shown who they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    pub id: ActorId,
    pub name: String,
    pub role: Role,
    pub agency: String,
}

impl Actor {
    /// What this actor may read. Nobody is cleared for secret records by a role alone.
    pub fn reader(&self) -> Reader {
        match self.role {
            Role::Archivist | Role::Auditor => Reader::Archivist,
            Role::Administrator => Reader::Anyone,
            Role::Depositor | Role::RecordsClerk | Role::Official | Role::Head => {
                Reader::Official { agency: self.agency.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::access::Access;

    #[test]
    fn who_may_do_what() {
        let acts =
            [Act::Read, Act::Deposit, Act::Export, Act::Audit, Act::Watch, Act::Challenge, Act::Arrange, Act::Dispose];
        for (role, may) in [
            (Role::Depositor, [true, true, false, false, false, false, true, false]),
            (Role::RecordsClerk, [true, true, false, false, false, false, true, true]),
            (Role::Archivist, [true, true, true, false, true, true, true, true]),
            (Role::Official, [true, false, false, false, false, false, false, true]),
            (Role::Auditor, [true, false, true, true, true, true, false, true]),
            (Role::Head, [true, false, true, false, false, false, true, true]),
            (Role::Administrator, [true, false, false, false, true, false, false, false]),
        ] {
            assert_eq!(acts.map(|act| role.may(act)), may, "{role:?}");
            assert_eq!(Role::read(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!(Role::read("root"), None);
    }

    #[test]
    fn a_role_reads_its_agency_or_the_archive_and_never_what_is_secret() {
        let (own, foreign) = (Some("Sở Nội vụ"), Some("Sở Tài chính"));
        for role in Role::ALL {
            let id = ActorId::new(0, [1; 10]);
            let reader = Actor { id, name: "a".into(), role: *role, agency: "SỞ nội vụ".into() }.reader();
            let archive = matches!(role, Role::Archivist | Role::Auditor);
            assert!(reader.may_read(Access::Public, foreign, None), "{role:?}");
            let of_agency = archive || *role != Role::Administrator;
            assert_eq!(reader.may_read(Access::Conditional, own, None), of_agency, "{role:?}");
            assert_eq!(reader.may_read(Access::Conditional, foreign, None), archive, "{role:?}");
            assert!(!reader.may_read(Access::Secret, own, None), "{role:?}");
        }
    }
}
