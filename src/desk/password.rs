//! Passwords: hashed with argon2id, compared in constant time, tried a few times only.
//!
//! # Why
//! *Few hashes at once.* One takes 19 MiB and tens of milliseconds on purpose; a crowd at the door must wait
//! in line and not take the memory of those inside.
//!
//! *A name that nobody has costs as much as a wrong password*, so that the time of an answer tells no names.
//!
//! *Attempts are counted by name and by address, in memory.* A restart forgets them; an account that could be
//! locked for ever from outside would be a way to keep its holder out.

use crate::desk::DeskError;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use zeroize::Zeroizing;

/// The shortest password (ASVS 2.1.1).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest: hashing must not be a way to keep the machine busy.
pub const PASSWORD_BYTES_MAX: usize = 1024;

const HASHES_AT_ONCE: usize = 2;
static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE);

/// The hash of a password, as a PHC string with a salt of its own.
pub async fn hashed(password: Zeroizing<String>) -> Result<String, DeskError> {
    let _turn = HASHING.acquire().await.map_err(|_| DeskError::Password)?;
    let hash = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
    spawn_blocking(hash).await.map_err(|_| DeskError::Password)?.map_err(|_| DeskError::Password)
}

/// Does a password belong to a stored hash? `None` stands for a name that nobody has.
pub async fn matches(password: Zeroizing<String>, stored: Option<String>) -> Result<bool, DeskError> {
    let _turn = HASHING.acquire().await.map_err(|_| DeskError::Password)?;
    let compare = move || {
        let hash = stored.as_deref().unwrap_or(&NOBODY);
        let same = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        same && stored.is_some()
    };
    spawn_blocking(compare).await.map_err(|_| DeskError::Password)
}

/// The hash that a password is compared with where there is no account.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| Argon2::default().hash_password(b"nobody").map(|hash| hash.to_string()).unwrap_or_default());

/// Failed attempts that are free.
const FREE: u32 = 5;
const WAIT_FIRST: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(900);
/// Names and addresses that are remembered at most.
const REMEMBERED_MAX: usize = 10_000;

/// How often somebody has failed lately.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Attempts {
    /// How long these (a name, an address) must wait before they may try again; `None` where they need not.
    pub fn wait(&self, who: &[String]) -> Option<Duration> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |one: &String| failed.get(one).and_then(|(count, at)| pause(*count).checked_sub(at.elapsed()));
        who.iter().filter_map(left).max().filter(|left| !left.is_zero())
    }

    pub fn failed(&self, who: &[String]) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= REMEMBERED_MAX {
            failed.retain(|_, (count, at)| at.elapsed() < pause(*count));
        }
        for one in who {
            let (count, at) = failed.entry(one.clone()).or_insert((0, Instant::now()));
            // Who was quiet for the longest wait begins anew.
            *count = if at.elapsed() > WAIT_MAX { 1 } else { *count + 1 };
            *at = Instant::now();
        }
    }

    pub fn succeeded(&self, who: &[String]) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        for one in who {
            failed.remove(one);
        }
    }
}

/// Doubles with every failure past the free ones.
fn pause(count: u32) -> Duration {
    match count.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(over) => WAIT_MAX.min(WAIT_FIRST * 2_u32.pow(over.min(10))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.into())
    }

    #[tokio::test]
    async fn only_the_password_matches_its_hash() {
        let hash = hashed(secret("đúng mật khẩu này")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, hashed(secret("đúng mật khẩu này")).await.unwrap(), "a salt of its own");
        assert!(matches(secret("đúng mật khẩu này"), Some(hash.clone())).await.unwrap());
        assert!(!matches(secret("sai mật khẩu này"), Some(hash)).await.unwrap());
        assert!(!matches(secret("nobody"), None).await.unwrap());
        assert!(!matches(secret("x"), Some("no hash".into())).await.unwrap());
    }

    #[test]
    fn who_fails_often_waits_and_others_do_not() {
        let (attempts, who) = (Attempts::default(), ["an".to_owned(), "127.0.0.1".to_owned()]);
        for _ in 0..FREE {
            assert_eq!(attempts.wait(&who), None);
            attempts.failed(&who);
        }
        assert!(attempts.wait(&who).is_some_and(|wait| wait <= WAIT_FIRST));
        assert!(attempts.wait(&["bình".into(), "127.0.0.1".into()]).is_some(), "the address waits under any name");
        assert_eq!(attempts.wait(&["bình".into(), "127.0.0.2".into()]), None);
        attempts.succeeded(&who);
        assert_eq!(attempts.wait(&who), None);
        assert_eq!(pause(1000), WAIT_MAX);
    }
}
