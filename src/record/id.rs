//! Identifiers: UUIDs of version 7 (RFC 9562), which tell the time of intake and nothing else.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An identifier must be a hyphenated lower-case UUID, so that one identifier has one spelling.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is a UUID in lower case with hyphens")]
pub struct NotAnId;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// From a time in milliseconds since 1970 and ten random bytes; the caller owns clock and chance.
            pub fn new(millis: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The two hexadecimal digits that spread identifiers over folders: the last two.
            pub fn shard(&self) -> String {
                format!("{:02x}", self.0.as_bytes()[15])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = Uuid::try_parse(text).map_err(|_| NotAnId)?;
                if id.hyphenated().to_string() == text { Ok(Self(id)) } else { Err(NotAnId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

identifier! {
    /// One record (tài liệu).
    RecordId
}
identifier! {
    /// Who acts.
    ActorId
}
identifier! {
    /// One intent: a promise, kept in staging, to clean up after oneself.
    IntentId
}
identifier! {
    /// One fonds (phông lưu trữ).
    FondsId
}
identifier! {
    /// One file (hồ sơ).
    FileId
}
identifier! {
    /// One retention schedule (bảng thời hạn lưu trữ), through all its versions.
    ScheduleId
}
identifier! {
    /// One hold (tạm dừng hủy).
    HoldId
}
identifier! {
    /// One case of disposition: what one council reviews and one head decides.
    CaseId
}
identifier! {
    /// One list of files (danh mục hồ sơ).
    PlanId
}
identifier! {
    /// One project of backlog work (chỉnh lý).
    BacklogId
}
identifier! {
    /// One register of agencies (danh bạ cơ quan).
    RegisterId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_one_spelling() {
        let id = RecordId::new(1_763_877_600_000, [0xab; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.shard(), "ab");
        let text = id.to_string();
        for wrong in ["", "x", &text.to_uppercase(), &text.replace('-', ""), &format!("{{{text}}}")] {
            assert_eq!(wrong.parse::<RecordId>(), Err(NotAnId), "{wrong}");
        }
    }
}
