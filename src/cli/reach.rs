//! What a command asks: the archive that lies here, or a server; and how what people type is found there.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{CommandError, Context, fonds, receipt, remote::Server};
use crate::record::{
    disposition::case::Unit,
    id::{ActorId, FileId, FondsId, RecordId, ScheduleId},
};

pub enum Reach {
    Here(Box<Archive>),
    There(Server),
}

impl Context {
    /// The server where one is named, else the archive here.
    pub async fn reach(&self) -> Result<Reach, CommandError> {
        match &self.server {
            Some(server) => Ok(Reach::There(server.clone())),
            None => Ok(Reach::Here(Box::new(self.open().await?))),
        }
    }
}

impl Reach {
    pub async fn close(self) -> Result<(), CommandError> {
        match self {
            Reach::Here(archive) => Ok(archive.close().await?),
            Reach::There(_) => Ok(()),
        }
    }

    /// The archive, for what no server is asked.
    pub fn here(&self, command: &str) -> Result<&Archive, CommandError> {
        match self {
            Reach::Here(archive) => Ok(archive),
            Reach::There(_) => Err(only_here(command)),
        }
    }

    /// The record behind an identifier, ours or the depositor's.
    pub async fn record(&self, typed: &str) -> Result<RecordId, CommandError> {
        match self {
            Reach::Here(archive) => receipt::named(archive, typed).await,
            Reach::There(server) => server.named(typed).await,
        }
    }

    /// The fonds that has a code.
    pub async fn fonds(&self, code: &str) -> Result<FondsId, CommandError> {
        match self {
            Reach::Here(archive) => Ok(fonds::named(archive, code).await?.fonds),
            Reach::There(server) => {
                let found = server.fonds().await?.into_iter().find(|known| known.code == code);
                Ok(found.ok_or_else(|| fonds::unknown(code))?.fonds)
            }
        }
    }

    /// A file by its code or identifier.
    pub async fn file(&self, typed: &str) -> Result<Option<FileId>, CommandError> {
        match self {
            Reach::Here(archive) => file(archive, typed).await,
            Reach::There(server) => Ok(server.file(typed.trim()).await?),
        }
    }

    /// The same, where there must be one.
    pub async fn file_named(&self, typed: &str) -> Result<FileId, CommandError> {
        self.file(typed).await?.ok_or_else(|| no_file(typed))
    }

    /// A unit of a case: a file by its code or identifier, else a record.
    pub async fn unit(&self, typed: &str) -> Result<Unit, CommandError> {
        match self.file(typed).await? {
            Some(file) => Ok(Unit::File(file)),
            None => Ok(Unit::Record(self.record(typed).await?)),
        }
    }

    /// The schedule that is meant: by its identifier, or by the number of its source where only one has it.
    pub async fn schedule(&self, typed: &str) -> Result<ScheduleId, CommandError> {
        let known: Vec<(ScheduleId, Option<String>)> = match self {
            Reach::Here(archive) => {
                archive.catalog.schedules().await?.into_iter().map(|known| (known.schedule, known.source)).collect()
            }
            Reach::There(server) => {
                server.schedules().await?.into_iter().map(|known| (known.schedule, known.source)).collect()
            }
        };
        let meant = |(id, source): &&(ScheduleId, Option<String>)| {
            id.to_string() == typed || source.as_deref() == Some(typed.trim())
        };
        match &known.iter().filter(meant).collect::<Vec<_>>()[..] {
            [(one, _)] => Ok(*one),
            _ => Err(no_schedule(typed)),
        }
    }

    /// An actor by the name of an account, or by identifier; a server tells nobody's names.
    pub async fn actor(&self, typed: &str) -> Result<ActorId, CommandError> {
        if let Reach::Here(archive) = self
            && let Some((account, _)) = archive.desk.account(typed).await.map_err(ArchiveError::from)?
        {
            return Ok(account.actor.id);
        }
        typed.trim().parse().map_err(|_| match self {
            Reach::Here(_) => CommandError::usage(
                format!("không có tài khoản {typed}; xem `vankho actor list`"),
                format!("no account {typed}; see `vankho actor list`"),
            ),
            Reach::There(_) => CommandError::usage(
                format!("{typed}: với --server, ghi mã của tài khoản; quản trị hệ thống xem bằng `vankho actor list`"),
                format!("{typed}: with --server give the identifier of the account, which an administrator sees by `vankho actor list`"),
            ),
        })
    }
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

/// That a command needs the archive's own machine.
pub fn only_here(command: &str) -> CommandError {
    CommandError::usage(
        format!("vankho {command} chỉ chạy trên máy có kho; bỏ --server và chạy tại đó với --data"),
        format!("vankho {command} runs where the archive is; leave --server out and run it there with --data"),
    )
}

pub fn no_file(typed: &str) -> CommandError {
    CommandError::usage(
        format!("không có hồ sơ nào mang mã {typed}; xem vankho file list MÃ_PHÔNG"),
        format!("no file has the code {typed}; see vankho file list FONDS"),
    )
}

pub fn no_schedule(typed: &str) -> CommandError {
    CommandError::usage(
        format!("không có bảng thời hạn lưu trữ {typed}; xem vankho schedule list"),
        format!("there is no schedule {typed}; see vankho schedule list"),
    )
}
