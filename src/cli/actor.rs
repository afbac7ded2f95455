//! `vankho actor`: local accounts. It opens the desk alone, so that it works beside a running server.

use crate::archive::{
    ArchiveError, Clock,
    keep::random,
    place::{self, Folders},
};
use crate::cli::{CommandError, Context, show};
use crate::desk::{
    Desk,
    accounts::Kind,
    password::{self, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
};
use crate::record::{
    actor::{Actor, Role},
    digest::hex,
    entry::Instant,
    id::ActorId,
    text,
};
use clap::Subcommand;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;
use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum ActorCommand {
    /// Add an account; the password is asked for, or read from standard input or VANKHO_PASSWORD
    Add {
        name: String,
        /// depositor, records_clerk, archivist, official, auditor, head, administrator
        #[arg(long)]
        role: String,
        /// The agency whose conditional records the account may read
        #[arg(long)]
        agency: String,
    },
    /// Print a fresh bearer token, once: it is kept nowhere / Cấp mã truy cập mới, chỉ in một lần
    Token {
        name: String,
        /// Days until it opens nothing any more
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// List the accounts
    List,
    /// Disable an account, its tokens and logins
    Disable { name: String },
    /// Set a new password; tokens and logins end
    Password { name: String },
}

impl ActorCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let folders = Folders::of(&context.data);
        // An archive that lies elsewhere has its key and its desk here all the same.
        if !folders.desk.join(place::DESK).is_file() && !folders.key().is_file() {
            folders.expect_archive()?;
        }
        std::fs::create_dir_all(&folders.desk)
            .map_err(|source| CommandError::File { path: folders.desk.display().to_string(), source })?;
        let desk = Desk::open(Some(&folders.desk.join(place::DESK))).await.map_err(ArchiveError::from)?;
        let done = self.act(context, &desk).await;
        desk.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn act(self, context: &Context, desk: &Desk) -> Result<(), CommandError> {
        let screen = &context.screen;
        match self {
            ActorCommand::Add { name, role, agency } => add(context, desk, &name, &role, &agency).await,
            ActorCommand::Token { name, days } => token(context, desk, &name, days).await,
            ActorCommand::List => {
                for account in desk.accounts().await.map_err(ArchiveError::from)? {
                    let Actor { id, name, role, agency } = account.actor;
                    let (disabled, role) =
                        (account.disabled, if screen.say("vi", "en") == "vi" { role.vi() } else { role.as_str() });
                    screen.answer(
                        || json!({"actor": id, "name": name, "role": role, "agency": agency, "disabled": disabled}),
                        || {
                            let state = if disabled { screen.say(" (đã khóa)", " (disabled)") } else { "" };
                            format!("{name}\t{role}\t{agency}\t{id}{state}")
                        },
                    );
                }
                Ok(())
            }
            ActorCommand::Disable { name } => {
                known(desk.disable_account(&text::line(&name)).await.map_err(ArchiveError::from)?, &name)?;
                done(context, &name, "đã khóa tài khoản", "is disabled");
                Ok(())
            }
            ActorCommand::Password { name } => {
                let hash = hash(context).await?;
                known(desk.change_password(&text::line(&name), &hash).await.map_err(ArchiveError::from)?, &name)?;
                done(context, &name, "đã đổi mật khẩu", "has a new password");
                Ok(())
            }
        }
    }
}

async fn add(context: &Context, desk: &Desk, name: &str, role: &str, agency: &str) -> Result<(), CommandError> {
    let roles =
        || Role::ALL.iter().map(|role| format!("{} ({})", role.as_str(), role.vi())).collect::<Vec<_>>().join(", ");
    let role = Role::read(role).ok_or_else(|| {
        CommandError::usage(
            format!("{role}: không phải là vai trò; chọn một trong: {}", roles()),
            format!("{role} is no role; choose one of these"),
        )
    })?;
    let (name, agency) = (text::line(name), text::line(agency));
    if name.is_empty() || agency.is_empty() {
        return Err(CommandError::usage(
            "tên tài khoản và cơ quan không được để trống".into(),
            "name and agency must not be empty".into(),
        ));
    }
    let hash = hash(context).await?;
    let actor = Actor { id: ActorId::new(Clock::System.now().millis(), random()?), name: name.clone(), role, agency };
    if !desk.add_account(&actor, &hash).await.map_err(ArchiveError::from)? {
        return Err(CommandError::usage(
            format!("đã có tài khoản {name}; chọn tên khác"),
            format!("there is an account {name}; choose another name"),
        ));
    }
    done(context, &name, "đã thêm tài khoản", "is added");
    Ok(())
}

async fn token(context: &Context, desk: &Desk, name: &str, days: u16) -> Result<(), CommandError> {
    let account = desk.account(name).await.map_err(ArchiveError::from)?.filter(|(account, _)| !account.disabled);
    let Some((account, _)) = account else { return known(false, name) };
    let secret = Zeroizing::new(format!("vankho_{}", hex(&random::<32>()?)));
    let expires = Instant::from_micros(Clock::System.now().micros() + i64::from(days) * 86_400_000_000);
    desk.add_key(account.actor.id, &secret, Kind::Token, expires).await.map_err(ArchiveError::from)?;
    context.screen.answer(|| json!({"token": *secret, "expires": expires}), || secret.to_string());
    Ok(())
}

fn done(context: &Context, name: &str, vi: &'static str, en: &'static str) {
    context.screen.answer(|| json!({"name": name}), || format!("{name}: {}", context.screen.say(vi, en)));
}

fn known(found: bool, name: &str) -> Result<(), CommandError> {
    match found {
        true => Ok(()),
        false => Err(CommandError::usage(
            format!("không có tài khoản {name} đang hoạt động; xem `vankho actor list`"),
            format!("no active account {name}; see `vankho actor list`"),
        )),
    }
}

async fn hash(context: &Context) -> Result<String, CommandError> {
    let password = ask(context)?;
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(CommandError::usage(
            format!("mật khẩu phải có ít nhất {PASSWORD_CHARS_MIN} ký tự"),
            format!("a password has at least {PASSWORD_CHARS_MIN} characters"),
        ));
    }
    Ok(password::hashed(password).await.map_err(ArchiveError::from)?)
}

/// The password: from the environment, from a terminal that does not show it, or a line of standard input.
pub fn ask(context: &Context) -> Result<Zeroizing<String>, CommandError> {
    if let Ok(given) = std::env::var("VANKHO_PASSWORD") {
        return Ok(Zeroizing::new(given));
    }
    let input = std::io::stdin();
    let shown = if input.is_terminal() { tcgetattr(&input).ok() } else { None };
    if let Some(shown) = &shown {
        show::tell(context.screen.say("Mật khẩu (không hiện khi gõ):", "Password (not shown):"));
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &hidden).ok();
    }
    let mut line = Zeroizing::new(String::new());
    let read = input.lock().read_line(&mut line);
    if let Some(shown) = &shown {
        tcsetattr(&input, OptionalActions::Now, shown).ok();
    }
    read.map_err(|source| CommandError::File { path: "stdin".into(), source })?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
