//! What a person or a script sees: two languages, progress bars, JSON lines, the log.

use crate::config;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    sync::{Mutex, PoisonError},
};
use tracing_subscriber::{EnvFilter, fmt};

/// The two languages of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Language {
    Vi,
    En,
}

/// Where and how a command shows its work.
#[derive(Clone, Copy)]
pub struct Screen {
    pub json: bool,
    pub language: Language,
}

impl Screen {
    /// The language asked for, or the one of the environment: English only where it says so.
    pub fn new(json: bool, language: Option<Language>) -> Screen {
        let spoken = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok());
        let english = spoken.is_some_and(|spoken| spoken.starts_with("en"));
        Screen { json, language: language.unwrap_or(if english { Language::En } else { Language::Vi }) }
    }

    /// One of two texts.
    pub fn say<T>(&self, vi: T, en: T) -> T {
        if self.language == Language::Vi { vi } else { en }
    }

    /// A line of the answer: JSON for scripts, else text for people.
    pub fn answer(&self, json: impl FnOnce() -> serde_json::Value, text: impl FnOnce() -> String) {
        self.line(&if self.json { json().to_string() } else { text() });
    }

    /// A line as it stands. False where it reaches nobody.
    pub fn line(&self, line: &str) -> bool {
        put(format!("{line}\n").as_bytes())
    }

    /// A bar over a known number of things, or a counter until the number is known.
    pub fn counting(&self, what: &str, of: Option<u64>) -> Bar {
        if self.json || !io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let bar = Bar(ProgressBar::no_length());
        bar.0.set_style(style("{msg} {human_pos} {per_sec} {elapsed}"));
        bar.0.set_message(what.to_owned());
        if let Some(of) = of {
            bar.set_of(0, of);
        }
        bar
    }
}

/// Why an answer was lost, until the command ends: half an answer under exit code 0 would be taken for a whole
/// one. Kept here because the work goes on: what is taken in is taken in, whoever hears of it.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Bytes to standard output. False where they reach nobody: a reader that has gone away wants no more, any other
/// reason is told when the command ends.
pub fn put(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Notes why standard output could not be written.
pub fn written(done: io::Result<()>) -> bool {
    match done {
        Ok(()) => return true,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => drop(LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error)),
    }
    false
}

/// Why some of the answer was lost, if it was.
pub fn lost() -> Option<io::Error> {
    LOST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// A line for people. That it cannot be written is no reason to stop.
pub fn tell(line: &str) {
    writeln!(io::stderr(), "{line}").ok();
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        to.write_fmt(format_args!("{:.0}/s", state.per_sec())).ok();
    };
    style.with_key("per_sec", rate).progress_chars("=> ")
}

/// A progress bar; hidden where nobody looks. Gone when dropped.
#[derive(Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    pub fn step(&self) {
        self.0.inc(1);
    }

    /// How many are done of how many, known or estimated; the first time turns a counter into a bar.
    pub fn set_of(&self, done: u64, of: u64) {
        if self.0.length().is_none() {
            self.0.set_style(style("{msg} [{bar:30}] {percent}% {human_pos}/{human_len} {per_sec} ~{eta}"));
        }
        // An estimate may be short of what is there already; no bar is more than full.
        self.0.set_length(of.max(done));
        self.0.set_position(done);
    }

    pub fn note(&self, line: &str) {
        self.0.suspend(|| tell(line));
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The log goes to standard error, as text or JSON lines.
pub fn start_log(log: &config::Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    // A second log in one process (a test) is refused; the first goes on.
    if log.json {
        builder.json().try_init().ok()
    } else {
        builder.try_init().ok()
    };
}
