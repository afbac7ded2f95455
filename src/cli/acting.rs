//! Who acts at the command line where it matters who: somebody by the password of their account, else the operator.
//!
//! # Why
//! *One operator is everybody.* Whoever has the disk of an archive has its command line; so what needs a second person, or
//! one who has just shown who they are, is done by name here, or at the server.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{CommandError, Context, disposed, receipt, show, show::Screen};
use crate::disposition::{DispositionError, Done, Who};
use crate::record::{
    arranging,
    disposition::{case::Unit, refusal::Refusal},
    hold::HoldRefusal,
    id::{ActorId, FileId},
    secrecy::SecrecyRefusal,
};
use clap::Args;
use std::process::ExitCode;

/// In whose name a command acts.
#[derive(Args)]
pub struct Acting {
    /// Act as this account; its password is asked for, or read from VANKHO_PASSWORD / Làm với tài khoản này
    #[arg(long = "as", global = true, value_name = "NAME")]
    name: Option<String>,
}

impl Acting {
    /// Somebody who has just shown who they are, or the operator, who has not.
    pub async fn who(&self, context: &Context, archive: &Archive) -> Result<Who, CommandError> {
        match &self.name {
            Some(name) => disposed::acting(context, archive, name).await,
            None => Ok(disposed::operator(archive)),
        }
    }

    /// What an act came to; where it wants another person, how that is done from here.
    pub fn told(&self, screen: &Screen, done: Result<Done, DispositionError>) -> Result<ExitCode, CommandError> {
        if self.name.is_none() && done.as_ref().is_err_and(wants_somebody) {
            show::tell(screen.say(
                "Người vận hành máy không thay được người có thẩm quyền: dùng --as TÊN_TÀI_KHOẢN, hoặc làm việc này trên máy chủ.",
                "The operator of the machine is nobody in particular: use --as NAME, or do this at the server.",
            ));
        }
        disposed::told(screen, done)
    }
}

/// Is it refused because of who acts?
fn wants_somebody(error: &DispositionError) -> bool {
    match error {
        DispositionError::Refused(refusal) => matches!(
            refusal,
            Refusal::NotYours | Refusal::NotFresh | Refusal::SamePerson | Refusal::Reviewer | Refusal::NotOfTheCouncil
        ),
        DispositionError::Held(refusal) => *refusal == HoldRefusal::SamePerson,
        DispositionError::Secrecy(refusal) => {
            matches!(refusal, SecrecyRefusal::SamePerson | SecrecyRefusal::NotFresh | SecrecyRefusal::NotYours)
        }
        DispositionError::Arranging(refusal) => {
            matches!(refusal, arranging::Refusal::NotYourRole | arranging::Refusal::SamePerson)
        }
        _ => false,
    }
}

/// An actor by the name of an account, or by identifier.
pub async fn actor(archive: &Archive, typed: &str) -> Result<ActorId, CommandError> {
    if let Some((account, _)) = archive.desk.account(typed).await.map_err(ArchiveError::from)? {
        return Ok(account.actor.id);
    }
    typed.trim().parse().map_err(|_| {
        CommandError::usage(
            format!("không có tài khoản {typed}; xem `vankho actor list`"),
            format!("no account {typed}; see `vankho actor list`"),
        )
    })
}

/// A unit of a case: a file by its code or identifier, else a record.
pub async fn unit(archive: &Archive, typed: &str) -> Result<Unit, CommandError> {
    if let Some(file) = file(archive, typed).await? {
        return Ok(Unit::File(file));
    }
    Ok(Unit::Record(receipt::named(archive, typed).await?))
}

/// A file by its code or identifier.
pub async fn file(archive: &Archive, typed: &str) -> Result<Option<FileId>, CommandError> {
    if let Some(known) = archive.catalog.files_of_code(typed.trim()).await?.first() {
        return Ok(Some(known.file));
    }
    let Ok(file) = typed.trim().parse::<FileId>() else { return Ok(None) };
    Ok(archive.catalog.file(file).await?.map(|known| known.file))
}

/// An identifier that a list printed.
pub fn id<T: std::str::FromStr>(typed: &str, list: &str) -> Result<T, CommandError> {
    typed.trim().parse().map_err(|_| {
        CommandError::usage(
            format!("{typed}: không phải là mã; xem `vankho {list}`"),
            format!("{typed} is no identifier; see `vankho {list}`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_for_where_a_person_is_wanted() {
        for (error, wants) in [
            (Refusal::NotFresh.into(), true),
            (Refusal::Reviewer.into(), true),
            (Refusal::NotDue.into(), false),
            (HoldRefusal::SamePerson.into(), true),
            (HoldRefusal::TooLate.into(), false),
            (SecrecyRefusal::NotYours.into(), true),
            (SecrecyRefusal::NotConfirmed.into(), false),
            (arranging::Refusal::NotYourRole.into(), true),
            (arranging::Refusal::NotThere.into(), false),
        ] {
            let error: DispositionError = error;
            assert_eq!(wants_somebody(&error), wants, "{error}");
        }
    }
}
