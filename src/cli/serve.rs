//! `vankho serve`: the door over HTTP.

use crate::archive::Clock;
use crate::cli::{CommandError, Context, stopped};
use crate::http::{
    serve,
    state::{Door, Open, Rounds},
};
use crate::worker;
use clap::Args;
use futures::FutureExt;
use serde_json::json;
use std::{process::ExitCode, sync::Arc};

/// Serve the archive over HTTP
#[derive(Args)]
pub struct Serve {
    /// Address and port on loopback; port 0 takes a free one [default: server.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let mut config = context.config.clone();
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        let stop = stopped()?;
        let rounds: Rounds = Arc::new(|open: Arc<Open>| async move { worker::rounds(&open.archive).await }.boxed());
        let door = Door::new(context.data.clone(), config, Clock::System, rounds);
        let screen = context.screen;
        let tell = |address: std::net::SocketAddr| {
            let url = format!("http://{address}/");
            screen
                .answer(|| json!({"url": url}), || format!("{}: {url}", screen.say("Đang phục vụ tại", "Serving at")));
        };
        serve::serve(door, stop, tell).await?;
        Ok(ExitCode::SUCCESS)
    }
}
