//! What a table of classes does not say: the head of a schedule, as options of a command and as a server is told it.

use crate::cli::{
    CommandError,
    acting::{read_date, read_day},
};
use crate::record::retention::schedule::{Class, Draft, LegalSource, Schedule};
use clap::Args;

/// What a table of classes does not say
#[derive(Args, Default)]
pub struct Heading {
    /// Its title / Tên bảng
    #[arg(long)]
    title: Option<String>,
    /// The number of the legal text / Số văn bản
    #[arg(long, value_name = "NUMBER")]
    source: Option<String>,
    /// What the legal text is called / Tên văn bản
    #[arg(long, value_name = "TITLE")]
    source_title: Option<String>,
    /// Who issued it, and when / Cơ quan ban hành, ngày ban hành
    #[arg(long)]
    agency: Option<String>,
    #[arg(long, value_name = "DATE")]
    issued: Option<String>,
    /// The first day on which it is in force / Ngày có hiệu lực
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The first day on which it is not any more / Ngày hết hiệu lực
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Rows are missing or not compared with the print: nothing can be destroyed by it / Chưa đầy đủ
    #[arg(long)]
    incomplete: bool,
    /// What is to be known of it / Ghi chú
    #[arg(long)]
    note: Option<String>,
}

impl Heading {
    /// The draft; what is not told is as it was before. A source of which only a part is known is one with flaws.
    pub fn draft(self, before: Option<&Schedule>, classes: Vec<Class>) -> Result<Draft, CommandError> {
        let was = before.and_then(|before| before.source.clone());
        let issued = self.issued.as_deref().map(read_date).transpose()?;
        let was_told = |told: Option<String>, was: fn(&LegalSource) -> &String, source: &Option<LegalSource>| {
            told.or_else(|| source.as_ref().map(|source| was(source).clone())).unwrap_or_default()
        };
        let source = issued.or(was.as_ref().map(|source| source.issued)).map(|issued| LegalSource {
            number: was_told(self.source, |source| &source.number, &was),
            title: was_told(self.source_title, |source| &source.title, &was),
            issued,
            agency: was_told(self.agency, |source| &source.agency, &was),
        });
        let from = self.from.as_deref().map(read_day).transpose()?.or(before.map(|before| before.from));
        let from = from.ok_or_else(|| {
            CommandError::usage(
                "thiếu ngày có hiệu lực; ghi --from NGÀY".into(),
                "the first day in force is missing; give --from DAY".into(),
            )
        })?;
        let until = self.until.as_deref().map(read_day).transpose()?.or(before.and_then(|before| before.until));
        Ok(Draft {
            title: self.title.or(before.map(|before| before.title.clone())).unwrap_or_default(),
            source,
            from,
            until,
            incomplete: self.incomplete || before.is_some_and(|before| before.incomplete),
            note: self.note.or(before.and_then(|before| before.note.clone())),
            classes,
        })
    }
}

/// The head of a draft, as the query of an address has it.
pub fn told(draft: &Draft) -> Vec<(&'static str, String)> {
    let mut head = vec![
        ("title", draft.title.clone()),
        ("from", draft.from.to_string()),
        ("incomplete", draft.incomplete.to_string()),
    ];
    if let Some(LegalSource { number, title, issued, agency }) = &draft.source {
        let (number, title, agency) = (number.clone(), title.clone(), agency.clone());
        head.extend([("number", number), ("source", title), ("issued", issued.to_string()), ("agency", agency)]);
    }
    head.extend(draft.until.map(|until| ("until", until.to_string())));
    head.extend(draft.note.clone().map(|note| ("note", note)));
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::{check::check, flaw::FlawCode, rules::Rules, schedule::tests::example};

    /// What is not told stays as it was; a new schedule needs its first day, and lacks a source where none is told.
    #[test]
    fn what_a_heading_says_and_what_it_leaves() {
        let before = example();
        let kept = Heading::default().draft(Some(&before), before.classes.clone()).unwrap();
        let same = kept.first_version(before.schedule, before.salt.clone());
        let expected = Schedule { version: 1, replaces: None, approved: None, ..before.clone() };
        assert_eq!(same, expected);
        let told = Heading {
            title: Some("Bảng mới".into()),
            source: Some("9/2027/TT-BNV".into()),
            from: Some("01/01/2028".into()),
            until: Some("01/01/2030".into()),
            incomplete: true,
            ..Heading::default()
        };
        let draft = told.draft(Some(&before), Vec::new()).unwrap();
        let source = draft.source.unwrap();
        let was = before.source.clone().unwrap();
        assert_eq!((source.number.as_str(), source.issued, &source.agency), ("9/2027/TT-BNV", was.issued, &was.agency));
        assert_eq!(
            (draft.from.to_string().as_str(), draft.until.is_some(), draft.incomplete),
            ("2028-01-01", true, true)
        );
        assert!(Heading::default().draft(None, Vec::new()).is_err());
        let bare = Heading { from: Some("01/01/2028".into()), ..Heading::default() };
        let bare = bare.draft(None, before.classes.clone()).unwrap().first_version(before.schedule, before.salt);
        let flaws: Vec<FlawCode> = check(&bare, &Rules::default()).iter().map(|flaw| flaw.code).collect();
        assert_eq!(flaws, [FlawCode::NoTitle, FlawCode::NoSource]);
    }
}
