//! Accounts: who may act, and the secrets by which they are known again.
//!
//! # Why
//! *A token is random and long*, so a plain SHA-256 of it is enough to keep: there is nothing to guess, and a
//! stolen desk opens no door. Passwords are chosen by people and are hashed with argon2id.
//!
//! *An account is disabled, never removed*: the ledger names its identifier for ever, and somebody must be
//! able to say who that was.

use crate::desk::{Desk, DeskError};
use crate::record::{
    actor::{Actor, Role},
    digest::Digest,
    entry::Instant,
    id::ActorId,
    text,
};
use sqlx::{Row, sqlite::SqliteRow};

pub const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS accounts (actor TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, \
     agency TEXT NOT NULL, password TEXT NOT NULL, disabled BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS keys (digest TEXT PRIMARY KEY, actor TEXT NOT NULL, kind TEXT NOT NULL, \
     expires BIGINT NOT NULL)",
];

const ACCOUNT: &str = "SELECT actor, name, role, agency, disabled, password FROM accounts WHERE name = $1";
const ACCOUNTS: &str = "SELECT actor, name, role, agency, disabled FROM accounts ORDER BY name";
const BEHIND: &str = "SELECT a.actor, a.name, a.role, a.agency FROM keys k JOIN accounts a ON a.actor = k.actor \
     WHERE k.digest = $1 AND k.kind = $2 AND k.expires > $3 AND a.disabled = 0";
const ADD: &str = "INSERT INTO accounts (actor, name, role, agency, password, disabled) \
     VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (name) DO NOTHING";
const ADD_KEY: &str = "INSERT INTO keys (digest, actor, kind, expires) VALUES ($1, $2, $3, $4)";
const FORGET_KEYS: &str = "DELETE FROM keys WHERE actor = (SELECT actor FROM accounts WHERE name = $1)";

/// By what an actor is known again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A bearer token, for programs.
    Token,
    /// A login in a browser.
    Session,
}

impl Kind {
    fn as_str(&self) -> &'static str {
        match self {
            Kind::Token => "token",
            Kind::Session => "session",
        }
    }
}

/// An account as a list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub actor: Actor,
    pub disabled: bool,
}

impl Desk {
    /// Adds an account; false where somebody has the name.
    ///
    /// If we stop here, the account is there or it is not.
    pub async fn add_account(&self, actor: &Actor, password_hash: &str) -> Result<bool, DeskError> {
        let add = sqlx::query(ADD).bind(actor.id.to_string()).bind(&actor.name).bind(actor.role.as_str());
        let added = add.bind(&actor.agency).bind(password_hash).execute(&self.pool).await?;
        Ok(added.rows_affected() > 0)
    }

    pub async fn accounts(&self) -> Result<Vec<Account>, DeskError> {
        sqlx::query(ACCOUNTS).fetch_all(&self.pool).await?.iter().map(account).collect()
    }

    /// An account by its name, with its password's hash.
    pub async fn account(&self, name: &str) -> Result<Option<(Account, String)>, DeskError> {
        let row = sqlx::query(ACCOUNT).bind(text::line(name)).fetch_optional(&self.pool).await?;
        row.map(|row| Ok((account(&row)?, row.try_get("password")?))).transpose()
    }

    /// Disables an account: nothing opens a door for it any more. False where there is none.
    pub async fn disable_account(&self, name: &str) -> Result<bool, DeskError> {
        self.change("UPDATE accounts SET disabled = 1 WHERE name = $1", name, None).await
    }

    /// A new password; whoever was let in by an old secret is out. False where there is no such account.
    pub async fn change_password(&self, name: &str, password_hash: &str) -> Result<bool, DeskError> {
        self.change("UPDATE accounts SET password = $2 WHERE name = $1", name, Some(password_hash)).await
    }

    async fn change(&self, statement: &'static str, name: &str, to: Option<&str>) -> Result<bool, DeskError> {
        let mut change = self.pool.begin().await?;
        let mut update = sqlx::query(statement).bind(name);
        if let Some(to) = to {
            update = update.bind(to);
        }
        let changed = update.execute(&mut *change).await?.rows_affected() > 0;
        sqlx::query(FORGET_KEYS).bind(name).execute(&mut *change).await?;
        change.commit().await?;
        Ok(changed)
    }

    /// Keeps the digest of a secret by which an actor is known again until `expires`.
    pub async fn add_key(&self, actor: ActorId, secret: &str, kind: Kind, expires: Instant) -> Result<(), DeskError> {
        let add = sqlx::query(ADD_KEY).bind(Digest::of(secret.as_bytes()).to_string()).bind(actor.to_string());
        add.bind(kind.as_str()).bind(expires.micros()).execute(&self.pool).await?;
        Ok(())
    }

    /// Who is behind a secret, if it opens anything now.
    pub async fn behind(&self, secret: &str, kind: Kind, now: Instant) -> Result<Option<Actor>, DeskError> {
        let digest = Digest::of(secret.as_bytes()).to_string();
        let row = sqlx::query(BEHIND).bind(digest).bind(kind.as_str()).bind(now.micros());
        row.fetch_optional(&self.pool).await?.as_ref().map(actor).transpose()
    }

    /// Forgets a secret, and all that have expired.
    pub async fn forget_key(&self, secret: &str, now: Instant) -> Result<(), DeskError> {
        let forget = sqlx::query("DELETE FROM keys WHERE digest = $1 OR expires <= $2");
        forget.bind(Digest::of(secret.as_bytes()).to_string()).bind(now.micros()).execute(&self.pool).await?;
        Ok(())
    }
}

fn actor(row: &SqliteRow) -> Result<Actor, DeskError> {
    let (id, role): (String, String) = (row.try_get("actor")?, row.try_get("role")?);
    Ok(Actor {
        id: id.parse().map_err(|_| DeskError::Malformed(id))?,
        name: row.try_get("name")?,
        role: Role::read(&role).ok_or(DeskError::Malformed(role))?,
        agency: row.try_get("agency")?,
    })
}

fn account(row: &SqliteRow) -> Result<Account, DeskError> {
    Ok(Account { actor: actor(row)?, disabled: row.try_get::<i64, _>("disabled")? != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(name: &str) -> Actor {
        let id = ActorId::new(1, Digest::of(name.as_bytes()).0[..10].try_into().unwrap());
        Actor { id, name: name.into(), role: Role::RecordsClerk, agency: "Sở Nội vụ".into() }
    }

    #[tokio::test]
    async fn a_secret_opens_until_it_expires_or_the_account_is_disabled() {
        let (desk, an) = (Desk::open(None).await.unwrap(), somebody("an"));
        let at = Instant::from_micros;
        assert!(desk.add_account(&an, "hash").await.unwrap());
        assert!(!desk.add_account(&Actor { id: ActorId::new(2, [2; 10]), ..an.clone() }, "x").await.unwrap());
        desk.add_key(an.id, "secret", Kind::Token, at(100)).await.unwrap();
        desk.add_key(an.id, "login", Kind::Session, at(100)).await.unwrap();
        assert_eq!(desk.behind("secret", Kind::Token, at(99)).await.unwrap(), Some(an.clone()));
        assert_eq!(desk.behind("secret", Kind::Token, at(100)).await.unwrap(), None, "expired");
        assert_eq!(desk.behind("secret", Kind::Session, at(1)).await.unwrap(), None, "of another kind");
        assert_eq!(desk.behind("Secret", Kind::Token, at(1)).await.unwrap(), None);
        desk.forget_key("login", at(1)).await.unwrap();
        assert_eq!(desk.behind("login", Kind::Session, at(1)).await.unwrap(), None, "logged out");
        assert!(desk.disable_account("an").await.unwrap());
        assert_eq!(desk.behind("secret", Kind::Token, at(1)).await.unwrap(), None, "disabled");
        assert!(desk.accounts().await.unwrap()[0].disabled);
        assert!(!desk.disable_account("nobody").await.unwrap());
    }

    #[tokio::test]
    async fn a_new_password_ends_what_the_old_one_opened() {
        let (desk, an) = (Desk::open(None).await.unwrap(), somebody("an"));
        desk.add_account(&an, "old").await.unwrap();
        desk.add_key(an.id, "login", Kind::Session, Instant::from_micros(100)).await.unwrap();
        assert!(desk.change_password("an", "new").await.unwrap());
        assert_eq!(desk.behind("login", Kind::Session, Instant::from_micros(1)).await.unwrap(), None);
        assert_eq!(desk.account("an").await.unwrap().unwrap().1, "new");
    }
}
