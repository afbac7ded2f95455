//! One text for two databases: SQLite and a real PostgreSQL take the catalog's schema and every statement.
//!
//! PostgreSQL is asked through `psql`, so that the program needs no driver for it yet. The server is started
//! for this test alone: in a temporary folder, on a socket there, under an account without rights.

use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr, SqliteConnection};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use vankho::catalog::{INSERTS, INSERTS_OF_RETENTION, SCHEMA, STATEMENTS, STATEMENTS_OF_RETENTION};

/// Statements that both must refuse: a check that accepts these checks nothing.
const WRONG: [&str; 2] = ["SELECT nothing FROM records WHERE record = $1", "SELECT value FORM place"];

/// Every statement, those with lists of values for two rows.
fn statements() -> Vec<String> {
    let inserts = INSERTS.iter().chain(INSERTS_OF_RETENTION).map(|(head, tail)| {
        let columns = head.matches(',').count() + 1;
        let row = |from: usize| (from..from + columns).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        format!("{head}VALUES ({}), ({}){tail}", row(1), row(columns + 1))
    });
    STATEMENTS.iter().chain(STATEMENTS_OF_RETENTION).map(|statement| statement.to_string()).chain(inserts).collect()
}

#[tokio::test]
async fn sqlite_takes_every_statement() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for statement in SCHEMA.split(';') {
        sqlx::query(statement).execute(&mut database).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    for statement in statements() {
        let prepared = (&mut database).prepare(AssertSqlSafe(statement.clone()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{statement}: {:?}", prepared.err());
    }
    for statement in WRONG {
        assert!((&mut database).prepare(statement.into_sql_str()).await.is_err(), "{statement}");
    }
}

#[test]
fn postgresql_takes_every_statement() {
    let server = Server::start();
    server.takes(SCHEMA);
    // Twice: opening an archive that is there runs the schema again.
    server.takes(SCHEMA);
    for (number, statement) in statements().iter().enumerate() {
        server.takes(&format!("PREPARE s{number} AS {statement}"));
    }
    for statement in WRONG {
        let output = server.ask(&format!("PREPARE wrong AS {statement}"));
        assert!(!output.status.success(), "{statement}");
    }
}

/// A PostgreSQL that lives as long as the test.
struct Server {
    dir: tempfile::TempDir,
    programs: PathBuf,
    account: Option<(u32, u32)>,
}

impl Server {
    fn start() -> Server {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server { dir, programs: programs(), account: account() };
        if let Some((uid, gid)) = server.account {
            chown(server.dir.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = server.path("data");
        server.run(
            "initdb",
            &["-D", &data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
        );
        // Only the socket: no port, so nothing can be in the way.
        let options = format!("-k {} -c listen_addresses= -c fsync=off", server.dir.path().display());
        let log = server.path("log");
        server.run("pg_ctl", &["-D", &data, "-w", "-t", "60", "-l", &log, "-o", &options, "start"]);
        server
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A program of PostgreSQL's under the account without rights: as root the server refuses to start.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let Some((uid, gid)) = self.account else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()]).arg(program);
        command
    }

    fn run(&mut self, program: &str, args: &[&str]) {
        // To files: a server that inherits our pipe would keep it open for ever.
        let told = fs::File::create(self.dir.path().join(format!("{program}.out"))).unwrap();
        let mut command = self.command(program);
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        let status = command.stdout(told.try_clone().unwrap()).stderr(told).status().unwrap();
        let told = |name: &str| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        assert!(status.success(), "{program}: {}{}", told(&format!("{program}.out")), told("log"));
    }

    fn ask(&self, sql: &str) -> Output {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"]).arg(self.dir.path());
        command.args(["-c", sql]).current_dir(self.dir.path()).output().unwrap()
    }

    fn takes(&self, sql: &str) {
        let output = self.ask(sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.path("data");
        let mut command = self.command("pg_ctl");
        command.args(["-D", &data, "-m", "immediate", "stop"]).stdout(Stdio::null()).stderr(Stdio::null());
        // What is left goes with the folder.
        command.status().ok();
    }
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let whole = |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file());
    let found = folders.into_iter().find(whole);
    found.expect("no PostgreSQL here; install it: apt-get install postgresql")
}

/// Where we are root, somebody who is not: `postgres`, or `nobody`.
fn account() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    if !root || !Path::new("/etc/passwd").is_file() {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).take(2).map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("an account without rights: postgres or nobody"))
}
