//! How rules refuse: a code that never changes its meaning, and what to do next, in Vietnamese and in English.
//!
//! # Why
//! A rule that only says no sends people to the telephone. Each refusal is one row, so that neither language can be
//! forgotten, and a door prints it without knowing the rule.

macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident; $($(#[$row:meta])* $variant:ident $code:literal $vi:literal $en:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$row])* $variant,)*
        }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The code as programs see it.
            pub fn as_str(&self) -> &'static str {
                match self { $($name::$variant => $code,)* }
            }

            /// Why not, and what to do, in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $($name::$variant => $vi,)* }
            }

            /// Why not, and what to do, in English.
            pub fn en(&self) -> &'static str {
                match self { $($name::$variant => $en,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} / {}", self.vi(), self.en())
            }
        }

        impl std::error::Error for $name {}
    };
}
pub(crate) use refusals;

/// Holds a list of refusals to the rule: one code each, both languages, and in both what to do next.
#[cfg(test)]
pub fn assert_told<'a>(rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
    let mut seen = std::collections::HashSet::new();
    for (code, vi, en) in rows {
        assert!(seen.insert(code), "{code} is told twice");
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        assert!(vi.contains("; ") && en.contains("; "), "{code}: say why, then what to do next");
        assert!(vi != en && !vi.is_ascii() && en.is_ascii(), "{code}: Vietnamese and English");
        assert!(!vi.to_lowercase().contains("xóa"), "{code}: say hủy");
    }
}
