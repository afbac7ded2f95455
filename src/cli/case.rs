//! `vankho case`: what is due is listed, reviewed, decided, destroyed (hồ sơ xét hủy).

use crate::cli::{
    CommandError, Context,
    acting::{Acting, broken, read_date},
    cases::{self as told, in_force},
    papers,
    reach::{self, Reach},
    show::Screen,
};
use crate::disposition::{
    DispositionError, Done, cases,
    execution::{self, Pending, Resumed, Why},
};
use crate::record::{
    disposition::{
        act::Act,
        case::{Appraisal, Council, Ground, Listed, Outcome, Paper, Unit, Votes},
        refusal::Refusal,
    },
    id::CaseId,
    unit::Kind,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Cases, and in whose name.
#[derive(Args)]
pub struct CaseCommand {
    #[command(flatten)]
    acting: Acting,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List every case, the newest first / Danh sách hồ sơ xét hủy
    List,
    /// Open a case with an empty list / Lập hồ sơ xét hủy
    Open {
        /// Whose records / Cơ quan có tài liệu
        #[arg(long)]
        agency: String,
        /// It hands over to a historical archive: an appraisal is needed / Thuộc diện nộp lưu trữ lịch sử
        #[arg(long)]
        historical: bool,
    },
    /// Show a case / Xem hồ sơ xét hủy
    Show { case: String },
    /// Put a file or record on the list / Đưa vào danh mục xem xét hủy
    Add {
        case: String,
        unit: String,
        /// It is the same as this record, which stays / Trùng với tài liệu được giữ lại
        #[arg(long, value_name = "RECORD")]
        duplicate_of: Option<String>,
    },
    /// Take it off the list / Đưa ra khỏi danh mục
    Remove {
        case: String,
        unit: String,
        #[arg(long)]
        reason: String,
    },
    /// Set up the disposal council / Thành lập Hội đồng xét hủy
    Council {
        case: String,
        #[command(flatten)]
        paper: Papered,
        /// Names of accounts / Chủ tịch, thành viên
        #[arg(long, value_name = "NAME")]
        chair: String,
        #[arg(long = "member", value_name = "NAME", required = true)]
        members: Vec<String>,
    },
    /// A member's opinion / Ý kiến thành viên
    Opine {
        case: String,
        unit: String,
        #[command(flatten)]
        fate: Fate,
        #[arg(long)]
        reason: String,
    },
    /// The council has met / Kết thúc họp
    EndReview {
        case: String,
        #[command(flatten)]
        paper: Papered,
    },
    /// What the council proposes, by its chair / Kiến nghị của Hội đồng
    Propose {
        case: String,
        unit: String,
        #[command(flatten)]
        fate: Fate,
        #[arg(long)]
        reason: String,
        /// Votes / Số phiếu
        #[arg(long)]
        agree: u16,
        #[arg(long, default_value_t = 0)]
        against: u16,
        #[arg(long, default_value_t = 0)]
        abstained: u16,
    },
    /// The council takes it up again / Xem xét lại
    Reconsider {
        case: String,
        #[arg(long)]
        reason: String,
    },
    /// The appraisal of the competent body / Văn bản thẩm định
    Appraise {
        case: String,
        #[command(flatten)]
        paper: Papered,
        /// Who appraised / Cơ quan thẩm định
        #[arg(long)]
        authority: String,
        /// It does not agree / Không thống nhất
        #[arg(long, requires = "reason")]
        refused: bool,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// The head decides, as was proposed / Quyết định hủy
    Decide {
        case: String,
        #[command(flatten)]
        paper: Papered,
        /// But keeps these / Để lại
        #[arg(long = "spare", value_name = "UNIT", requires = "reason")]
        spared: Vec<String>,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// The head sends it back to the council / Trả lại Hội đồng
    SendBack {
        case: String,
        #[arg(long)]
        reason: String,
    },
    /// The minutes of handing over / Biên bản bàn giao
    HandOver {
        case: String,
        #[command(flatten)]
        paper: Papered,
    },
    /// The head leaves a unit out before it is ordered / Để lại sau quyết định
    Spare {
        case: String,
        unit: String,
        #[arg(long)]
        reason: String,
    },
    /// Order destruction: there is no way back from here / Ra lệnh hủy, không thể dừng lại
    Order {
        case: String,
        /// One unit; else all that were decided / Một đơn vị, hoặc tất cả
        unit: Option<String>,
    },
    /// Close the case with the minutes of destruction / Kết thúc, biên bản hủy
    Close {
        case: String,
        #[command(flatten)]
        paper: Papered,
    },
    /// Carry out what is ordered, here and now / Thực hiện các lệnh hủy còn dở
    Resume,
    /// Write the papers of a case as HTML / In các văn bản của hồ sơ hủy
    Papers {
        case: String,
        /// A folder, which is made
        folder: PathBuf,
        #[command(flatten)]
        issuer: papers::Issued,
    },
}

/// A paper of the dossier.
#[derive(Args)]
struct Papered {
    /// Its number, such as 15/QĐ-SNV / Số, ký hiệu
    #[arg(long)]
    number: Option<String>,
    /// Its day / Ngày
    #[arg(long, value_name = "DATE")]
    day: String,
    /// The record in which it is kept / Tài liệu lưu văn bản này
    #[arg(long, value_name = "RECORD")]
    paper: Option<String>,
}

/// What is to become of a unit.
#[derive(Args)]
struct Fate {
    /// What is to become of it / Kết quả
    #[arg(long, value_enum)]
    outcome: Becomes,
    /// keep: until this day / Đến ngày
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// transfer: to this archive / Đến kho
    #[arg(long, value_name = "ARCHIVE", required_if_eq("outcome", "transfer"))]
    to: Option<String>,
    /// reclassify: the schedule and the class / Bảng thời hạn, mục
    #[arg(long, value_name = "ID", required_if_eq("outcome", "reclassify"))]
    schedule: Option<String>,
    #[arg(long, value_name = "CODE", required_if_eq("outcome", "reclassify"))]
    class: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Becomes {
    /// Tiếp tục lưu trữ
    Keep,
    /// Phân loại lại
    Reclassify,
    /// Chuyển giao
    Transfer,
    /// Hủy
    Destroy,
}

impl CaseCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        self.acting.expect_nobody(context)?;
        let reach = context.reach().await?;
        let done = self.carried_out(context, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let (CaseCommand { acting, what }, screen) = (self, &context.screen);
        match what {
            What::List => told::listed(screen, reach).await,
            What::Open { agency, historical } => match reach {
                Reach::Here(archive) => {
                    let who = acting.who(context, archive).await?;
                    acting.told(context, cases::open_case(archive, &who, &agency, historical).await)
                }
                Reach::There(server) => {
                    let asked = json!({"agency": agency, "to_historical": historical});
                    acting.told(context, server.act_with(Kind::Case, "api/v1/cases", &asked).await)
                }
            },
            What::Show { case } => told::shown(screen, reach, read_id(&case)?).await,
            What::Order { case, unit } => order(context, reach, &acting, (&case, unit.as_deref())).await,
            What::Resume => {
                let resumed = execution::resume(reach.here("case resume")?).await.map_err(broken)?;
                Ok(resumed_to(screen, &resumed))
            }
            What::Papers { case, folder, issuer } => {
                papers::write(screen, reach, read_id(&case)?, (&folder, &issuer)).await
            }
            what => act(context, reach, &acting, what).await,
        }
    }
}

/// Does what changes a case.
async fn act(context: &Context, reach: &Reach, acting: &Acting, what: What) -> Result<ExitCode, CommandError> {
    let (id, act) = match what {
        What::Add { case, unit, duplicate_of } => {
            let unit = reach.unit(&unit).await?;
            let kept = match duplicate_of {
                Some(kept) => Some(reach.record(&kept).await?),
                None => None,
            };
            return match reach {
                Reach::Here(archive) => {
                    // Who finds a duplicate stands in the ground of it.
                    let who = acting.who(context, archive).await?;
                    let ground = match kept {
                        Some(kept) => Ok(Ground::Duplicate { kept, found_by: who.actor }),
                        None => cases::ground(archive, unit).await,
                    };
                    match ground {
                        Ok(ground) => {
                            let act = Act::List { unit, ground };
                            acting.told(context, cases::act(archive, &who, read_id(&case)?, act).await)
                        }
                        Err(error) => acting.told(context, Err::<Done, _>(error)),
                    }
                }
                Reach::There(server) => {
                    let asked = json!({"act": "list", "unit": unit, "duplicate_of": kept});
                    acting.told(context, told::ask(server, read_id(&case)?, &asked).await)
                }
            };
        }
        What::Council { case, paper, chair, members } => {
            let (paper, chair) = (paper.read(reach).await?, reach.actor(&chair).await?);
            let mut people = Vec::new();
            for member in &members {
                people.push(reach.actor(member).await?);
            }
            (case, Act::SetUpCouncil { council: Council { paper, chair, members: people } })
        }
        What::Appraise { case, paper, authority, refused, reason } => {
            let appraisal = Appraisal { paper: paper.read(reach).await?, authority, agreed: !refused };
            (case, Act::Appraise { appraisal, reason })
        }
        What::Decide { case, paper, spared, reason } => {
            let mut units = Vec::new();
            for unit in &spared {
                units.push(reach.unit(unit).await?);
            }
            (case, Act::Decide { paper: paper.read(reach).await?, spared: units, reason })
        }
        what => of_a_unit(reach, what).await?,
    };
    let id = read_id(&id)?;
    match reach {
        Reach::Here(archive) => {
            let who = acting.who(context, archive).await?;
            acting.told(context, cases::act(archive, &who, id, act).await)
        }
        Reach::There(server) => {
            let asked = told::asked(context, &act)?;
            acting.told(context, told::ask(server, id, &asked).await)
        }
    }
}

/// The acts that need nothing but what was typed.
async fn of_a_unit(reach: &Reach, what: What) -> Result<(String, Act), CommandError> {
    Ok(match what {
        What::Remove { case, unit, reason } => (case, Act::TakeOff { unit: reach.unit(&unit).await?, reason }),
        What::Opine { case, unit, fate, reason } => {
            let (unit, outcome) = (reach.unit(&unit).await?, fate.read(reach).await?);
            (case, Act::Opine { unit, outcome, reason })
        }
        What::EndReview { case, paper } => (case, Act::EndReview { minutes: paper.read(reach).await? }),
        What::Propose { case, unit, fate, reason, agree, against, abstained } => {
            let (unit, outcome) = (reach.unit(&unit).await?, fate.read(reach).await?);
            (case, Act::Propose { unit, outcome, reason, votes: Votes { agree, against, abstained } })
        }
        What::Reconsider { case, reason } => (case, Act::Reconsider { reason }),
        What::SendBack { case, reason } => (case, Act::SendBack { reason }),
        What::HandOver { case, paper } => (case, Act::HandOver { minutes: paper.read(reach).await? }),
        What::Spare { case, unit, reason } => (case, Act::Spare { unit: reach.unit(&unit).await?, reason }),
        What::Close { case, paper } => (case, Act::Close { minutes: paper.read(reach).await? }),
        _ => {
            return Err(CommandError::usage(
                "không có việc này; xem `vankho case --help`".into(),
                "there is no such act; see `vankho case --help`".into(),
            ));
        }
    })
}

/// Orders one unit, or all that were decided; one that is refused keeps no other waiting.
async fn order(
    context: &Context,
    reach: &Reach,
    acting: &Acting,
    (case, unit): (&str, Option<&str>),
) -> Result<ExitCode, CommandError> {
    let id = read_id(case)?;
    let (case, _) = in_force(reach, id).await?;
    let units: Vec<Unit> = match unit {
        Some(unit) => vec![reach.unit(unit).await?],
        None => {
            let waits = |listed: &&Listed| listed.is_to_be_destroyed() && listed.ordered.is_none();
            case.listed.iter().filter(waits).map(|listed| listed.unit).collect()
        }
    };
    if units.is_empty() {
        return acting.told(context, Err::<Done, _>(DispositionError::Refused(Refusal::NotDecided)));
    }
    let who = match reach {
        Reach::Here(archive) => Some(acting.who(context, archive).await?),
        Reach::There(_) => None,
    };
    let mut code = ExitCode::SUCCESS;
    for unit in units {
        let (said, refused) = match (reach, &who) {
            (Reach::Here(archive), Some(who)) => {
                let done = execution::order(archive, who, id, unit).await;
                let refused = done.is_err();
                (acting.told(context, done)?, refused)
            }
            (Reach::There(server), _) => {
                let path = format!("api/v1/cases/{id}/orders");
                let done = server.act_with(Kind::Case, &path, &json!({"unit": unit})).await;
                let refused = done.is_err();
                (acting.told(context, done)?, refused)
            }
            (Reach::Here(_), None) => continue,
        };
        code = if refused { said } else { code };
    }
    Ok(code)
}

impl Papered {
    async fn read(&self, reach: &Reach) -> Result<Paper, CommandError> {
        let record = match &self.paper {
            Some(typed) => Some(reach.record(typed).await?),
            None => None,
        };
        Ok(Paper { number: self.number.clone(), day: read_date(&self.day)?, record })
    }
}

impl Fate {
    async fn read(&self, reach: &Reach) -> Result<Outcome, CommandError> {
        Ok(match self.outcome {
            Becomes::Destroy => Outcome::Destroy,
            Becomes::Keep => Outcome::KeepLonger { until: self.until.as_deref().map(read_date).transpose()? },
            Becomes::Transfer => Outcome::Transfer { to: self.to.clone().unwrap_or_default() },
            Becomes::Reclassify => {
                let schedule = reach.schedule(self.schedule.as_deref().unwrap_or_default()).await?;
                Outcome::Reclassify { schedule, class: self.class.clone().unwrap_or_default() }
            }
        })
    }
}

fn read_id(typed: &str) -> Result<CaseId, CommandError> {
    reach::id(typed, "case list")
}

/// What a round came to: 0 nothing waits, 1 something does.
fn resumed_to(screen: &Screen, resumed: &Resumed) -> ExitCode {
    for pending in &resumed.pending {
        let (vi, en, code) = why(pending);
        screen.answer(
            || json!({"waits": pending.of.to_string(), "why": code, "vi": vi, "en": en}),
            || format!("{}: {}", pending.of, if screen.say("vi", "en") == "vi" { &vi } else { &en }),
        );
    }
    let Resumed { certified, units, pending } = resumed;
    screen.answer(
        || json!({"certified": certified, "units": units, "pending": pending.len()}),
        || {
            let (certificates, waits) = (screen.say("chứng nhận", "certificates"), screen.say("còn chờ", "pending"));
            format!("{certified} {certificates}, {} {waits}", pending.len())
        },
    );
    ExitCode::from(u8::from(!pending.is_empty()))
}

fn why(pending: &Pending) -> (String, String, &'static str) {
    match &pending.why {
        Why::NotCertified(why) => (why.vi().into(), why.en().into(), why.as_str()),
        Why::Refused(why) => (why.vi().into(), why.en().into(), why.as_str()),
        Why::Failed(error) => {
            (format!("{error}; lượt sau thử lại"), format!("{error}; the next round tries again"), "failed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disposition::execution::Waits;
    use crate::record::{disposition::certificate::NotCertified, id::RecordId};

    #[test]
    fn why_something_waits_is_told_in_both_languages() {
        let of = Waits::Order(RecordId::new(0, [1; 10]));
        for (why_not, code) in [
            (Why::NotCertified(NotCertified::PlaceLeft), "place_left"),
            (Why::Refused(Refusal::OnHold), "on_hold"),
            (Why::Failed(DispositionError::Refused(Refusal::NotKnown)), "failed"),
        ] {
            let (vi, en, told) = why(&Pending { of, why: why_not });
            assert!(told == code && vi != en, "{code}");
        }
    }
}
