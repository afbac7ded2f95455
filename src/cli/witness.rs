//! `vankho witness`: another agency's program, which follows archives and cosigns.

use crate::archive::{Clock, keep::random};
use crate::cli::{CommandError, Context, stopped};
use crate::witness::{Now, Witness, folder, serve};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum WitnessCommand {
    /// Make a witness in --data, and print its public key
    Init(Init),
    /// Follow archives and cosign their checkpoints
    Serve(Serve),
}

/// Make a witness
#[derive(Args)]
pub struct Init {
    /// The witness's name, for example witness.example.vn; given once, it never changes
    #[arg(long)]
    name: String,
}

/// Follow archives
#[derive(Args)]
pub struct Serve {
    /// The public keys of an archive that is followed (keys/archive.keys), obtained from elsewhere; once for each
    #[arg(long, value_name = "KEYFILE", required = true)]
    archive: Vec<PathBuf>,
    /// Address and port on loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9090")]
    listen: String,
}

impl WitnessCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        match self {
            WitnessCommand::Init(init) => init.run(context),
            WitnessCommand::Serve(serve) => serve.run(context).await,
        }
    }
}

impl Init {
    fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let key = folder::init(&context.data, &self.name, &Zeroizing::new(random()?))?.to_string();
        screen.answer(
            || json!({"key": key}),
            || {
                let advice = screen.say(
                    "Gửi khóa công khai này cho các kho được chứng kiến và cho người kiểm tra. Không khôi phục thư mục này từ bản sao lưu để ký tiếp: hãy lập bên chứng kiến mới.",
                    "Give this public key to the archives that are witnessed and to those who verify. Never bring this folder back from a backup to go on cosigning: make a new witness instead.",
                );
                format!("{key}\n{advice}")
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl Serve {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let witness = Arc::new(Witness::open(&context.data, &self.archive)?);
        let stop = stopped()?;
        let (screen, key) = (context.screen, witness.key());
        let tell = |address: std::net::SocketAddr| {
            let url = format!("http://{address}/");
            let text = || format!("{}: {url}\n{key}", screen.say("Đang chứng kiến tại", "Witnessing at"));
            screen.answer(|| json!({"url": url, "key": key}), text);
        };
        let now: Now = Arc::new(|| Clock::System.now().millis() / 1000);
        serve::serve(witness, &self.listen, now, stop, tell).await?;
        Ok(ExitCode::SUCCESS)
    }
}
