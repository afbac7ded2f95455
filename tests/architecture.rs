//! The rules of the house, read from the text of `src/`.
//!
//! Every rule is a function from sources to complaints, and every rule has a small bad example beside it
//! that must turn it red: a rule that cannot complain is no rule.

use std::{fs, path::Path};

/// The floor plan: module, and what it may import besides itself. The order is the reading order, and the
/// order of `mod` in `lib.rs`. Every flow may import `config`.
const FLOOR: &[(&str, &[&str])] = &[
    ("record", &[]),
    ("config", &["record"]),
    ("store", &["record", "config"]),
    ("ledger", &["record", "config", "store"]),
    ("verify", &["record", "store", "ledger"]),
    ("witness", &["record", "config", "ledger"]),
    ("content", &["record", "config"]),
    ("catalog", &["record", "config"]),
    ("index", &["record", "config"]),
    ("desk", &["record", "config"]),
    ("archive", &["record", "config", "store", "ledger", "witness", "content", "catalog", "index", "desk"]),
    ("arrangement", &["record", "config", "catalog", "archive"]),
    ("ingest", &["record", "config", "store", "content", "catalog", "archive"]),
    ("characterization", &["record", "config", "store", "content", "catalog", "archive"]),
    ("access", &["record", "config", "store", "catalog", "index", "archive"]),
    ("fixity", &["record", "config", "store", "ledger", "verify", "catalog", "archive"]),
    ("backup", &["record", "config", "store", "ledger", "verify", "catalog", "desk", "archive"]),
    ("evidence", &["record", "config", "store", "ledger", "verify", "catalog", "archive"]),
    ("disposition", &["record", "config", "catalog", "ledger", "archive"]),
    ("exchange", &["record", "config", "store", "catalog", "content", "archive"]),
    ("oversight", &["record", "config", "catalog", "index", "archive"]),
    ("http", DOOR),
    ("worker", DOOR),
    ("cli", EVERYTHING),
];
const DOOR: &[&str] = &[
    "record",
    "config",
    "desk",
    "archive",
    "arrangement",
    "ingest",
    "characterization",
    "access",
    "fixity",
    "backup",
    "evidence",
    "disposition",
    "exchange",
    "oversight",
];
const EVERYTHING: &[&str] = &[
    "record",
    "config",
    "store",
    "ledger",
    "verify",
    "witness",
    "content",
    "catalog",
    "index",
    "desk",
    "archive",
    "arrangement",
    "ingest",
    "characterization",
    "access",
    "fixity",
    "backup",
    "evidence",
    "disposition",
    "exchange",
    "oversight",
    "http",
    "worker",
];

/// Foreign crates that live in one place: `crate, where it may be named`.
const ONLY_USERS: &[(&str, &[&str])] = &[
    ("object_store", &["store"]),
    ("sqlx", &["catalog", "desk"]),
    ("tantivy", &["index"]),
    ("axum", &["http"]),
    ("askama", &["http"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("hyper", &["witness", "http"]),
    ("hyper_util", &["witness", "http"]),
    ("reqwest", &["evidence", "cli"]),
];

/// Ways to ask the wall clock.
const CLOCKS: [&str; 5] = ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"];

/// Who may call what changes the truth: `call, callers, why`.
const CALLERS: &[(&str, &[&str], &str)] = &[
    (
        "ledger.append(",
        &["src/archive/commit.rs", "src/archive/place.rs", "src/archive/promote.rs", "src/archive/rotate.rs"],
        "one writer, the founding, and another primary",
    ),
    (
        ".discard(",
        &[
            "src/archive/astray.rs",
            "src/archive/keep.rs",
            "src/archive/sweep.rs",
            "src/backup/carry.rs",
            "src/backup/runs.rs",
            "src/ingest/stage.rs",
            "src/ledger/log.rs",
            "src/store/destroy.rs",
            "src/store/mod.rs",
            "src/store/place.rs",
            "src/store/probe.rs",
            "src/store/replicas.rs",
        ],
        "a replica's damaged checkpoint; fulfilled intents; orphans; of backups superseded tiles, old desks and keys that were \
         changed; what a refused row staged; superseded tiles; what an order destroys in a bucket; \
         the store's own, at every place; what the probe raced for",
    ),
    ("place.destroy(", &["src/archive/destroy.rs"], "kept bytes go under an order that is rebuilt from its entry"),
    ("Order::of(", &["src/archive/destroy.rs"], "the same"),
    (".delete(", &["src/store/place.rs"], "under `discard`"),
    ("remove_file(", &["src/store/local.rs", "src/archive/rebuild.rs"], "leftovers of dead writes; derived files"),
    (
        "remove_dir_all(",
        &["src/archive/rebuild.rs", "src/index/mod.rs", "src/exchange/plain.rs"],
        "derived files twice; half-written and replaced exports",
    ),
    ("remove_dir(", &[], "nobody needs it yet"),
];

/// Words that mean something else here, and where they are another's: `word, where allowed, why`.
const BANNED: &[(&str, &[&str], &str)] = &[
    ("blob", &[], "component"),
    ("derivative", &[], "rendition"),
    ("collection", &[], "fonds"),
    ("item", &["src/content/pdf/interpreter.rs", "src/content/pdf/lexer.rs"], "record; a PDF array has items"),
    ("items", &["src/content/pdf/interpreter.rs", "src/content/pdf/lexer.rs"], "records; a PDF array has items"),
    (
        "upload",
        &["src/store/mod.rs", "src/store/place.rs", "src/ingest/stage.rs"],
        "accession; bytes going into staging are one",
    ),
    ("owner", &[], "creator, custodian or drafting agency"),
    ("user", &[], "actor"),
    ("scheduler", &[], "worker, round or job"),
    ("delete", &["src/store/place.rs", "src/index/mod.rs"], "destroy or discard; two libraries call it so"),
    ("deleted", &["src/index/mod.rs"], "destroyed; the index library calls it so"),
    ("purge", &["src/index/mod.rs"], "destroy; the index forgets segments"),
];

/// Vietnamese that the interface must not use: `text, what to say`.
const BANNED_TEXTS: [(&str, &str); 4] = [
    ("kiểm toán", "kiểm tra tính toàn vẹn"),
    ("giám sát tính", "kiểm tra tính toàn vẹn"),
    ("thời hạn bảo quản", "thời hạn lưu trữ"),
    ("người dùng", "name the actor"),
];

/// Where a panic may stand outside tests: `file, call, how often, why it cannot come from outside`.
const PANICS: &[(&str, &str, usize, &str)] = &[];

/// Calls that make something durable, or take it away.
const DURABLE: [&str; 10] = [
    "store.keep(",
    "store.create(",
    "store.settle(",
    "store.discard(",
    "ledger.append(",
    "fs::rename(",
    "put_opts(",
    "objects.put(",
    "objects.rename(",
    "hard_link(",
];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const MAIN_LINES_MAX: usize = 60;
const ERROR_VARIANTS_MAX: usize = 9;

/// What may lie at the top of the repository.
const TOP: [&str; 17] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "schemas",
    "tests",
    "deploy",
    "README.md",
    "LICENSE",
    "askama.toml",
    "rustfmt.toml",
    "clippy.toml",
    ".gitignore",
    ".ci",
    ".cargo",
    ".git",
    "target",
    "vankho-data",
];

/// One file of `src/`, in the three ways that rules read it.
struct Source {
    path: String,
    text: String,
    /// Without comments and without what strings hold; every line where it was.
    code: String,
    /// The same without the tests.
    body: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let code = strip(text);
        let body = if path.ends_with("/tests.rs") { String::new() } else { without_tests(&code) };
        Source { path: path.into(), text: text.into(), code, body }
    }

    /// `ledger` of `src/ledger/log.rs`; `lib` and `main` are no modules.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or_default()
    }

    fn said(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<Source>) {
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let inside = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().to_owned();
                found.push(Source::new(&inside, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn root_file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Blanks comments and the inside of strings and characters.
fn strip(text: &str) -> String {
    let from: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut at = 0;
    while at < from.len() {
        let next = from.get(at + 1).copied();
        let end = match from[at] {
            '/' if next == Some('/') => end_of_line(&from, at),
            '/' if next == Some('*') => end_of_comment(&from, at),
            '"' => end_of_string(&from, at),
            'r' if !is_word(before(&from, at)) || before(&from, at) == Some('b') => match raw_string(&from, at) {
                Some(end) => end,
                None => at,
            },
            '\'' => end_of_char(&from, at),
            _ => at,
        };
        if end == at {
            out.push(from[at]);
            at += 1;
        } else {
            // Strings keep their marks, so that calls with arguments still look like calls.
            let marked = from[at] == '"';
            let inside = from[at..end].iter().enumerate();
            out.extend(inside.map(|(n, c)| if marked && (n == 0 || at + n + 1 == end) { '"' } else { blank(*c) }));
            at = end;
        }
    }
    out
}

fn before(from: &[char], at: usize) -> Option<char> {
    at.checked_sub(1).map(|at| from[at])
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn end_of_line(from: &[char], at: usize) -> usize {
    from[at..].iter().position(|c| *c == '\n').map_or(from.len(), |n| at + n)
}

fn end_of_comment(from: &[char], at: usize) -> usize {
    let (mut depth, mut n) = (0, at);
    while n + 1 < from.len() {
        match (from[n], from[n + 1]) {
            ('/', '*') => (depth, n) = (depth + 1, n + 2),
            ('*', '/') if depth == 1 => return n + 2,
            ('*', '/') => (depth, n) = (depth - 1, n + 2),
            _ => n += 1,
        }
    }
    from.len()
}

fn end_of_string(from: &[char], at: usize) -> usize {
    let mut n = at + 1;
    while n < from.len() {
        match from[n] {
            '\\' => n += 2,
            '"' => return n + 1,
            _ => n += 1,
        }
    }
    from.len()
}

fn raw_string(from: &[char], at: usize) -> Option<usize> {
    let marks = from[at + 1..].iter().take_while(|c| **c == '#').count();
    if from.get(at + 1 + marks) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', marks)).collect();
    let inside = at + 2 + marks;
    let found = from[inside..].windows(end.len()).position(|window| window == end)?;
    Some(inside + found + end.len())
}

/// A character, or nothing where the mark begins a lifetime.
fn end_of_char(from: &[char], at: usize) -> usize {
    match (from.get(at + 1), from.get(at + 2)) {
        (Some('\\'), _) => from[at + 3..].iter().position(|c| *c == '\'').map_or(at, |n| at + 4 + n),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Blanks every `#[cfg(test)]` block.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let end = match (rest.find('{'), rest.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => closing(rest, open),
            (_, Some(semicolon)) => semicolon + 1,
            _ => rest.len(),
        };
        let blank: String = rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..start + end, &blank);
    }
    out
}

/// The byte behind the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count()
}

/// Where a call or path begins that is not the end of a longer word.
fn found(code: &str, what: &str) -> Vec<usize> {
    let word = what.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let whole = |at: &usize| !word || !is_word(code[..*at].chars().next_back());
    code.match_indices(what).map(|(at, _)| at).filter(whole).collect()
}

/// The words of a text with their places.
fn words(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in code.char_indices().chain([(code.len(), ' ')]) {
        match (c.is_alphanumeric() || c == '_', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, &code[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The modules of ours that a file names: `use crate::a::…`, `use crate::{a, b::…}` and `crate::a::b` in bodies.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for at in found(code, "crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            named.push((at, rest[..end].to_owned()));
            continue;
        };
        let (mut depth, mut head) = (1, String::new());
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth > 1 => {}
                ',' => named.push((at, std::mem::take(&mut head))),
                _ => head.push(c),
            }
            if depth == 0 {
                break;
            }
        }
        named.push((at, head));
    }
    let first = |path: String| path.trim().split("::").next().unwrap_or_default().trim().to_owned();
    named.into_iter().map(|(at, path)| (at, first(path))).filter(|(_, module)| !module.is_empty()).collect()
}

// The rules.

/// A module may import only what its row names.
fn floor_plan(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let module = source.module();
        if module == "main" || module == "lib" {
            continue;
        }
        let Some((_, allowed)) = FLOOR.iter().find(|(name, _)| *name == module) else {
            complaints.push(source.said(0, &format!("module {module} is not on the floor plan")));
            continue;
        };
        for (at, named) in imports(&source.code) {
            if named != module && !allowed.contains(&named.as_str()) {
                complaints.push(source.said(line_of(&source.code, at), &format!("{module} may not import {named}")));
            }
        }
    }
    complaints
}

/// `lib.rs` declares the modules in the order of the floor plan, and re-exports nothing.
fn order(lib: &str) -> Vec<String> {
    let code = strip(lib);
    let declared: Vec<&str> = code
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ").or(line.trim().strip_prefix("mod ")))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    let mut complaints = Vec::new();
    let planned: Vec<&str> = FLOOR.iter().map(|(name, _)| *name).filter(|name| declared.contains(name)).collect();
    if declared != planned {
        complaints.push(format!("src/lib.rs: modules stand as {declared:?} and belong as {planned:?}"));
    }
    if code.contains("pub use ") {
        complaints.push("src/lib.rs: a module is found under its own name: no re-exports at the root".into());
    }
    complaints
}

/// The table itself: a row names only rows above it, so there can be no cycle.
fn no_cycles(floor: &[(&str, &[&str])]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (place, (module, allowed)) in floor.iter().enumerate() {
        for named in *allowed {
            if !floor[..place].iter().any(|(above, _)| above == named) {
                complaints.push(format!("{module} imports {named}, which does not stand above it"));
            }
        }
    }
    complaints
}

/// `use crate::…` only: no `super::`, no globs.
fn paths(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for at in found(&source.body, "super::").into_iter().chain(found(&source.body, "self::")) {
            complaints.push(source.said(line_of(&source.body, at), "say `crate::…`"));
        }
        for (at, _) in source.code.match_indices("::*") {
            if !source.code[..at].ends_with("use super") || source.body[at..].starts_with("::*") {
                complaints.push(source.said(line_of(&source.code, at), "name what is imported"));
            }
        }
    }
    complaints
}

fn only_users(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (at, word) in words(&source.code) {
            let row = ONLY_USERS.iter().find(|(name, _)| *name == word);
            if row.is_some_and(|(_, allowed)| !allowed.contains(&source.module())) {
                complaints.push(source.said(line_of(&source.code, at), &format!("{word} does not belong here")));
            }
        }
    }
    complaints
}

fn clock(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/archive/clock.rs") {
        for at in CLOCKS.iter().flat_map(|call| found(&source.body, call)) {
            complaints.push(source.said(line_of(&source.body, at), "ask archive::Clock"));
        }
    }
    complaints
}

/// Only the listed callers append to the ledger or take bytes away.
fn callers(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (call, allowed, _) in CALLERS.iter().filter(|(_, allowed, _)| !allowed.contains(&source.path.as_str())) {
            for at in found(&source.body, call) {
                complaints.push(source.said(line_of(&source.body, at), &format!("`{call}` is for {allowed:?} only")));
            }
        }
    }
    complaints
}

/// The parts of `snake_case` and `CamelCase`.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut lower = false;
    for c in word.chars() {
        if c == '_' || (c.is_uppercase() && lower) {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().unwrap().extend(c.to_lowercase());
        }
        lower = c.is_lowercase();
    }
    parts
}

fn banned_words(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (at, word) in words(&source.body) {
            // The standard library's own.
            if word == "Item" {
                continue;
            }
            for part in parts(word) {
                let row = BANNED.iter().find(|(banned, _, _)| *banned == part);
                if let Some((_, _, say)) = row.filter(|(_, allowed, _)| !allowed.contains(&source.path.as_str())) {
                    complaints.push(source.said(line_of(&source.body, at), &format!("{word}: say {say}")));
                }
            }
        }
        for (n, line) in source.text.to_lowercase().lines().enumerate() {
            for (_, say) in BANNED_TEXTS.iter().filter(|(banned, _)| line.contains(banned)) {
                complaints.push(source.said(n, &format!("say {say}")));
            }
        }
    }
    complaints
}

/// Name, line of `fn`, body with its braces.
fn functions(body: &str) -> Vec<(&str, usize, &str)> {
    let mut functions = Vec::new();
    for at in found(body, "fn ") {
        let rest = &body[at..];
        let name = rest[3..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        // The body begins at the first brace outside of brackets; a declaration ends at its semicolon.
        let (mut depth, mut open) = (0, None);
        for (n, c) in rest.char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                '{' if depth == 0 => open = Some(n),
                ';' if depth == 0 => break,
                _ => continue,
            }
            if open.is_some() {
                break;
            }
        }
        if let Some(open) = open {
            functions.push((name, line_of(body, at), &rest[..closing(rest, open)]));
        }
    }
    functions
}

fn lengths(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let lines = source.body.trim_end().lines().count();
        let max = if source.path == "src/main.rs" { MAIN_LINES_MAX } else { FILE_LINES_MAX + 1 };
        if lines >= max {
            complaints.push(source.said(0, &format!("{lines} lines without tests")));
        }
        for (name, line, body) in functions(&source.body) {
            let lines = body.lines().count();
            if lines > FUNCTION_LINES_MAX {
                complaints.push(source.said(line, &format!("{name} has {lines} lines")));
            }
        }
    }
    complaints
}

fn errors(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for at in found(&source.body, "enum ") {
            let rest = &source.body[at + 5..];
            let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let (Some(open), true) = (rest.find('{'), name.ends_with("Error") || name.ends_with("Fault")) else {
                continue;
            };
            let variants = variants(&rest[open..closing(rest, open)]);
            if name.ends_with("Error") && variants.len() > ERROR_VARIANTS_MAX {
                complaints.push(source.said(line_of(&source.body, at), &format!("{} variants", variants.len())));
            }
            if variants.iter().any(|variant| variant.replace(' ', "").starts_with("Other(")) {
                complaints.push(source.said(line_of(&source.body, at), "say what the caller can act on, not Other"));
            }
        }
    }
    complaints
}

/// The variants of an enum whose braces are given, without their attributes.
fn variants(braces: &str) -> Vec<String> {
    let (mut depth, mut one, mut all) = (0, String::new(), Vec::new());
    for c in braces.chars() {
        match c {
            ',' if depth == 1 => all.push(std::mem::take(&mut one)),
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if !(c == '{' && depth == 1 && all.is_empty() && one.trim().is_empty()) && depth > 0 {
            one.push(c);
        }
    }
    all.push(one);
    let bare = |variant: String| {
        let mut rest = variant.trim_start_matches([',', ' ', '\n']).to_owned();
        while rest.starts_with('#') {
            let end = rest.find(']').map_or(rest.len(), |end| end + 1);
            rest = rest[end..].trim_start().to_owned();
        }
        rest.trim().to_owned()
    };
    all.into_iter().map(bare).filter(|variant| !variant.is_empty()).collect()
}

/// Beside every durable step stands what is true if we stop there.
fn if_we_stop(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.module() != "cli") {
        let lines: Vec<&str> = source.text.lines().collect();
        for (name, line, body) in functions(&source.body) {
            if !DURABLE.iter().any(|call| !found(body, call).is_empty()) {
                continue;
            }
            let above = lines[..line].iter().rev().take_while(|line| line.trim_start().starts_with("//")).count();
            let said = lines[line - above..line + body.lines().count()].join("\n").to_lowercase();
            if !said.contains("if we stop") {
                complaints.push(source.said(line, &format!("{name}: if we stop here, then …?")));
            }
        }
    }
    complaints
}

fn panics(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for call in [".unwrap()", ".expect(", "panic!", "unreachable!", "todo!", "unimplemented!"] {
            let places = found(&source.body, call);
            let allowed = PANICS.iter().find(|(path, allowed, ..)| *path == source.path && *allowed == call);
            if places.len() > allowed.map_or(0, |(_, _, often, _)| *often) {
                let lines = places.into_iter().map(|at| source.said(line_of(&source.body, at), call));
                complaints.extend(lines);
            }
        }
    }
    complaints
}

fn told(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        if !source.text.starts_with("//! ") {
            complaints.push(source.said(0, "begin with `//!`: what question does this file answer?"));
        }
        let parts = source.path.split('/').count();
        if parts == 3 && source.path.ends_with("/mod.rs") && !source.text.contains("//! # Why\n") {
            complaints.push(source.said(0, "a module says why it is so under `# Why`"));
        }
    }
    complaints
}

/// Every dependency says in one line why it is here.
fn reasons(manifest: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies") && line.contains('=') && !line.starts_with('#') {
            let reason = line.rsplit_once("# ").map_or("", |(_, reason)| reason);
            if reason.trim().len() < 10 {
                complaints.push(format!("Cargo.toml: why? {line}"));
            }
        }
    }
    complaints
}

fn top_level(names: &[String]) -> Vec<String> {
    let unknown = names.iter().filter(|name| !TOP.contains(&name.as_str()));
    unknown.map(|name| format!("{name} does not belong at the top")).collect()
}

// The rules, held to what is there.

fn holds(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A rule must be silent about the good example and complain about each bad one.
fn turns_red(rule: fn(&[Source]) -> Vec<String>, path: &str, good: &str, bad: &[&str]) {
    holds(rule(&[Source::new(path, good)]));
    for text in bad {
        assert!(!rule(&[Source::new(path, text)]).is_empty(), "the rule does not see what is wrong with:\n{text}");
    }
}

#[test]
fn a_module_imports_only_what_its_row_names() {
    let good = "use crate::{record::id::RecordId, store::{Store, layout}};\n// crate::archive\nlet s = \"crate::cli\";";
    let bad = [
        "use crate::archive::Archive;",
        "use crate::{record::id, archive::{Archive, Clock}};",
        "fn f() { crate::cli::main() }",
        "#[cfg(test)]\nmod tests { use crate::index::Index; }",
    ];
    turns_red(floor_plan, "src/ledger/log.rs", good, &bad);
    assert!(!floor_plan(&[Source::new("src/helpers/mod.rs", "")]).is_empty(), "an unknown module is refused");
    holds(floor_plan(&sources()));
}

#[test]
fn modules_stand_in_reading_order() {
    holds(order("pub mod record;\n\npub mod config;\npub mod cli;\n"));
    assert!(!order("pub mod config;\npub mod record;\n").is_empty());
    assert!(!order("pub mod record;\npub mod utilities;\n").is_empty());
    assert!(!order("pub mod record;\npub use record::id::RecordId;\n").is_empty());
    holds(order(&root_file("src/lib.rs")));
}

#[test]
fn the_floor_plan_has_no_cycles() {
    assert!(!no_cycles(&[("a", &["b"]), ("b", &[])]).is_empty());
    assert!(!no_cycles(&[("a", &["a"])]).is_empty());
    holds(no_cycles(FLOOR));
    let flows = &FLOOR[11..21];
    for (flow, allowed) in flows {
        assert!(!flows.iter().any(|(other, _)| allowed.contains(other)), "{flow} imports another flow");
        assert!(allowed.contains(&"config"), "every flow may import config: {flow}");
    }
}

#[test]
fn paths_begin_at_the_crate() {
    let good = "use crate::record::id;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n";
    let bad = [
        "use super::text;",
        "fn f() { self::g() }",
        "use crate::record::*;",
        "#[cfg(test)]\nmod tests { use proptest::prelude::*; }",
        "use super::*;",
    ];
    turns_red(paths, "src/ledger/log.rs", good, &bad);
    holds(paths(&sources()));
}

#[test]
fn a_foreign_crate_lives_in_one_place() {
    turns_red(only_users, "src/store/mod.rs", "use object_store::local;", &["use sqlx::Row;", "tantivy::doc!()"]);
    turns_red(only_users, "src/catalog/mod.rs", "use sqlx::Row;", &["use object_store as o;", "use clap::Args;"]);
    turns_red(only_users, "src/main.rs", "// clap", &["use axum::Router;"]);
    holds(only_users(&sources()));
}

#[test]
fn one_file_asks_the_clock() {
    turns_red(clock, "src/ingest/mod.rs", "clock.now(); Instant::now()", &["let t = SystemTime::now();"]);
    turns_red(clock, "src/cli/mod.rs", "// Zoned::now", &["jiff::Zoned::now()", "jiff::Timestamp::now()"]);
    holds(clock(&sources()));
}

#[test]
fn few_change_the_truth() {
    turns_red(callers, "src/ingest/mod.rs", "path.append(x)", &["self.ledger.append(entries)", "s.discard(p)"]);
    turns_red(callers, "src/access/mod.rs", "", &["fs::remove_file(p)", "o.delete(p)", "fs::remove_dir_all(p)"]);
    holds(callers(&sources()));
    for (call, allowed, _) in CALLERS {
        for path in *allowed {
            let calls = found(&Source::new(path, &root_file(path)).body, call);
            assert!(!calls.is_empty(), "{path} does not call `{call}` any more: take it off the list");
        }
    }
}

#[test]
fn one_word_has_one_meaning() {
    let good = "use std::collections::HashMap; type Item = u8; // a blob\nlet s = \"user\";";
    let bad = ["struct BlobStore;", "let user_id = 1;", "fn purge() {}", "fn delete_record() {}", "// kiểm toán"];
    turns_red(banned_words, "src/catalog/mod.rs", good, &bad);
    holds(banned_words(&sources()));
}

#[test]
fn files_and_functions_are_short() {
    let long_file = "// x\n".repeat(FILE_LINES_MAX) + "fn f() {}\n";
    let long_function = format!("fn f(a: [u8; 2]) -> u8 {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES_MAX));
    let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn g() {}\n".repeat(900));
    turns_red(lengths, "src/access/mod.rs", &tests, &[&long_file, &long_function]);
    turns_red(lengths, "src/main.rs", "fn main() {}\n", &[&("//! x\n".repeat(59) + "fn main() {}\n")]);
    holds(lengths(&sources()));
}

#[test]
fn errors_are_few_and_say_what_to_do() {
    let many = "A, #[error(\"x, y\")] B(#[from] C), D { a: u8, b: u8 }, E, F, G, H, I, J";
    let good = format!("enum AnyError {{ {many} }} enum Large {{ {many}, K, L }}");
    let bad = [&format!("enum AnyError {{ {many}, K }}"), "enum AnyError { A, Other(String) }"];
    turns_red(errors, "src/access/mod.rs", &good, &bad);
    holds(errors(&sources()));
}

#[test]
fn durable_steps_say_what_is_true_if_we_stop() {
    let good = "/// If we stop here, nothing names it.\nasync fn f() {\n    store.keep(p, b);\n}\nfn g() {}\n";
    let bad = ["async fn f() {\n    self.store.keep(p, b);\n}\n", "/// Moves.\nfn f() { fs::rename(a, b) }\n"];
    turns_red(if_we_stop, "src/archive/keep.rs", good, &bad);
    holds(if_we_stop(&sources()));
}

#[test]
fn nothing_panics_outside_tests() {
    let good = "fn f() { g().unwrap_or(1) } // .unwrap()\n#[cfg(test)]\nmod tests { fn t() { f().unwrap() } }\n";
    let bad = ["fn f() { g().unwrap() }", "fn f() { g().expect(\"x\") }", "fn f() { panic!(\"x\") }", "todo!()"];
    turns_red(panics, "src/access/mod.rs", good, &bad);
    holds(panics(&sources()));
}

#[test]
fn every_file_says_what_it_is_for() {
    turns_red(told, "src/access/mod.rs", "//! Who?\n//!\n//! # Why\n//! So.\n", &["//! Who?\n", "use x;\n"]);
    turns_red(told, "src/access/open.rs", "//! Opens.\n", &["fn f() {}\n"]);
    holds(told(&sources()));
}

#[test]
fn every_dependency_has_a_reason() {
    assert!(!reasons("[dependencies]\nserde = \"1\"\n").is_empty());
    assert!(!reasons("[dev-dependencies]\nserde = \"1\" # why\n").is_empty());
    holds(reasons("[package]\nname = \"x\"\n[dependencies]\nserde = \"1\" # descriptions, entries\n"));
    holds(reasons(&root_file("Cargo.toml")));
}

#[test]
fn the_top_level_is_small() {
    assert!(!top_level(&["docs".into()]).is_empty());
    let there = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let names: Vec<String> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    holds(top_level(&names));
}

/// The reader of sources itself: what it must not see, and what it must.
#[test]
fn comments_and_strings_are_not_code() {
    let text =
        "let a = \"crate::x // \\\" y\"; /* b /* c */ d */ let r = r#\"e \"f\" g\"#; let q = '\"'; let l: &'a str;";
    let code = strip(text);
    for hidden in ["crate", "b", "d", "e", "g"] {
        assert!(!words(&code).iter().any(|(_, word)| *word == hidden), "{hidden} in {code}");
    }
    for seen in ["let", "str", "q", "l"] {
        assert!(words(&code).iter().any(|(_, word)| *word == seen), "{seen} in {code}");
    }
    assert_eq!(strip("a\n\"b\nc\"\nd").lines().count(), 4, "lines stay where they were");
}
