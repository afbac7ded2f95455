//! Acts at a server, and the lists from which people take what they act on. An act is told as one that was done here.

use crate::catalog::arranged::KnownFonds;
use crate::cli::{
    acting::{self, Undone, Wrong},
    remote::{RemoteError, Server, Told, records::present},
    schedule::Version,
};
use crate::record::{document::Salt, id::FileId, unit::Kind};
use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// Rows of a page, as the query of an address has them.
const PAGE: (&str, &str) = ("limit", "1000");

/// What an act came to.
#[derive(Deserialize)]
struct Acted {
    unit: String,
    entry: u64,
    findings: Vec<Told>,
}

/// A file as it is listed.
#[derive(Deserialize)]
struct Listed {
    file: FileId,
    code: Option<String>,
}

impl Server {
    /// Sends an act on a unit of a kind.
    pub async fn act(&self, kind: Kind, request: RequestBuilder) -> Result<acting::Told, Undone> {
        let Acted { unit: name, entry, findings } = self.once_json(request).await?;
        let unit = kind.unit(&name).map_or_else(|_| json!(name), |unit| json!(unit));
        let flaws: Vec<Wrong> = findings.iter().map(Wrong::from).collect();
        let looked = matches!(kind, Kind::Fonds | Kind::File) || !flaws.is_empty();
        Ok(acting::Told { unit, name, entry, flaws: looked.then_some(flaws) })
    }

    /// The same with a body in JSON.
    pub async fn act_with(&self, kind: Kind, path: &str, body: &Value) -> Result<acting::Told, Undone> {
        self.act(kind, self.post(path).json(body)).await
    }

    /// Sends what may change something, once, and reads the answer in JSON.
    pub async fn once_json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RemoteError> {
        let response = self.once(request).await.map_err(|failure| failure.error)?;
        let bytes = response.bytes().await.map_err(|error| self.broken(&error).error)?;
        self.read(serde_json::from_slice(&bytes))
    }

    /// What an answer says, where it has the form that this program knows.
    pub fn read<T>(&self, read: Result<T, serde_json::Error>) -> Result<T, RemoteError> {
        read.map_err(|error| self.not_understood(&error.to_string()))
    }

    /// The rows of a list that comes in pages, which stand in the member of that name: `next` of one page is sent as
    /// `begin` for the one after.
    pub async fn rows<T: DeserializeOwned>(
        &self,
        path: &str,
        member: &str,
        begin: &str,
    ) -> Result<Vec<T>, RemoteError> {
        self.rows_of(&|| self.get(path), member, begin).await
    }

    /// The same of a question.
    pub async fn rows_of<T: DeserializeOwned>(
        &self,
        question: &dyn Fn() -> RequestBuilder,
        member: &str,
        begin: &str,
    ) -> Result<Vec<T>, RemoteError> {
        let (mut rows, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut request = question().query(&[PAGE]);
            if let Some(next) = &next {
                request = request.query(&[(begin, next.as_str())]);
            }
            let mut page: Map<String, Value> = self.json(request).await?;
            let more: Vec<T> = self.read(serde_json::from_value(page.remove(member).unwrap_or_default()))?;
            rows.extend(more);
            next = match page.remove("next") {
                Some(Value::String(next)) => Some(next),
                Some(Value::Number(next)) => Some(next.to_string()),
                _ => return Ok(rows),
            };
        }
    }

    /// The rows of a list that comes whole.
    pub async fn all<T: DeserializeOwned>(&self, path: &str, member: &str) -> Result<Vec<T>, RemoteError> {
        let mut answer: Map<String, Value> = self.json(self.get(path)).await?;
        self.read(serde_json::from_value(answer.remove(member).unwrap_or_default()))
    }

    /// A member of an answer.
    pub async fn member(&self, question: RequestBuilder, member: &str) -> Result<Value, RemoteError> {
        let mut answer: Map<String, Value> = self.json(question).await?;
        answer.remove(member).ok_or_else(|| self.not_understood(member))
    }

    /// A kept document as a server shows it. Its salt is not shown: another stands in its place.
    pub fn kept<T: DeserializeOwned>(&self, shown: &Value) -> Result<T, RemoteError> {
        let mut whole = shown.clone();
        if let Some(members) = whole.as_object_mut() {
            members.insert("salt".into(), json!(Salt::new([0; 32])));
        }
        self.read(serde_json::from_value(whole))
    }

    /// Every fonds, by code.
    pub async fn fonds(&self) -> Result<Vec<KnownFonds>, RemoteError> {
        self.all("api/v1/fonds", "fonds").await
    }

    /// Every schedule, in its newest version.
    pub async fn schedules(&self) -> Result<Vec<Version>, RemoteError> {
        self.all("api/v1/schedules", "schedules").await
    }

    /// A file by its code or identifier.
    pub async fn file(&self, typed: &str) -> Result<Option<FileId>, RemoteError> {
        if let Ok(file) = typed.parse::<FileId>() {
            let found = present(self.member(self.get(&format!("api/v1/files/{file}")), "file").await)?;
            return Ok(found.map(|_| file));
        }
        // Files are listed in the order of their codes, those after one; what lacks its last letter stands right before.
        let mut before = typed.to_owned();
        before.pop();
        for fonds in self.fonds().await? {
            let mut after = before.clone();
            let path = format!("api/v1/fonds/{}/files", fonds.fonds);
            loop {
                let request = self.get(&path).query(&[PAGE, ("after", after.as_str())]);
                let mut page: Map<String, Value> = self.json(request).await?;
                let files: Vec<Listed> = self.read(serde_json::from_value(page.remove("files").unwrap_or_default()))?;
                if let Some(found) = files.iter().find(|file| file.code.as_deref() == Some(typed)) {
                    return Ok(Some(found.file));
                }
                match page.remove("next") {
                    Some(Value::String(next)) if next.as_str() < typed => after = next,
                    _ => break,
                }
            }
        }
        Ok(None)
    }
}
