//! A receipt, a description and a file: do they belong together, and does the archive's key say so?

use crate::ledger::{
    authority::Certificates,
    keys::KeyFile,
    note::{Note, NoteFault},
    proof::{self, Checked, Receipt, ReceiptFault},
    timestamp::{Stamp, Token},
};
use crate::record::{digest::Digest, entry::Event, stamp::is_late, unit::Unit};
use crate::verify::{
    Outcome, Verdict,
    description::{NotStated, Remains, Stated},
    policy::Policy,
};

/// Judges a file by its receipt.
///
/// `receipt` and `key_file` are the files' bytes, `description` the description's, `file` the SHA-256 of
/// the file. The key file must come from elsewhere than the receipt: whoever hands over both could have
/// made both. Checked in this order: keys, receipt, signature, inclusion, entry, description (digest, form,
/// record), file. Without a description or a file the answer is at best incomplete.
pub fn verify_receipt(receipt: &[u8], key_file: &[u8], description: Option<&[u8]>, file: Option<Digest>) -> Verdict {
    verify_outside(receipt, key_file, Outside::default(), description, file)
}

/// What others than the archive say of a receipt's checkpoint, as files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside<'a> {
    /// Which witnesses must have cosigned it.
    pub policy: Option<&'a [u8]>,
    /// What a timestamping authority sent, and the certificates of authorities that are trusted, PEM.
    pub timestamp: Option<(&'a [u8], &'a [u8])>,
}

/// The same, with what others say. Policy and certificates are read after the keys; a false line of a witness, or a
/// token that does not hold, counts as a false signature; that too few cosigned is told where all else holds.
pub fn verify_outside(
    receipt: &[u8],
    key_file: &[u8],
    outside: Outside<'_>,
    description: Option<&[u8]>,
    file: Option<Digest>,
) -> Verdict {
    judge(receipt, key_file, outside, description, file).unwrap_or_else(|verdict| *verdict)
}

/// What each step gives: its value, or the verdict that ends the matter. Boxed, because it is the rare case.
pub(in crate::verify) type Step<T> = Result<T, Box<Verdict>>;

fn judge(
    receipt: &[u8],
    key_file: &[u8],
    Outside { policy, timestamp }: Outside<'_>,
    description: Option<&[u8]>,
    file: Option<Digest>,
) -> Step<Verdict> {
    let keys = keys(key_file)?;
    let policy = policy.map(read_policy).transpose()?;
    let timestamp = timestamp.map(|(token, pem)| Ok::<_, Box<Verdict>>((token, certificates(pem)?))).transpose()?;
    let receipt = read(receipt)?;
    let checked = receipt.check(&keys).map_err(|fault| refused(&fault))?;
    let witnessed = policy.map(|policy| witnessed(&receipt, &policy)).transpose()?;
    let stamp = timestamp.map(|(token, trusted)| stamped(&receipt, &checked, token, &trusted)).transpose()?;
    let (unit, named) = subject(&checked)?;
    let Some(description) = description else { return Err(without_description(&receipt, &checked)) };
    let components = describe(description, &checked.entry.event, unit, named)?;
    let Some(file) = file else { return Err(without_file()) };
    component(&components, named, file)?;
    if witnessed == Some(false) {
        return Err(too_few());
    }
    Ok(holds(&receipt, &checked, unit, (witnessed.is_some(), stamp)))
}

pub(in crate::verify) fn read_policy(bytes: &[u8]) -> Step<Policy> {
    Policy::parse(bytes).map_err(|fault| {
        usage(
            format!("the policy of witnesses cannot be read ({fault}). Its form is told in FORMAT.md"),
            "không đọc được tệp quy định bên chứng kiến. Xem dạng tệp trong FORMAT.md",
        )
    })
}

/// Did enough witnesses cosign the checkpoint?
fn witnessed(receipt: &Receipt, policy: &Policy) -> Step<bool> {
    let note = Note::parse(&receipt.checkpoint_note).and_then(|note| policy.is_met(&note));
    note.map_err(|_| {
        tampered(
            "the signature of a witness does not fit text and key".into(),
            "chữ ký của một bên chứng kiến không khớp với nội dung biên nhận",
        )
    })
}

fn certificates(pem: &[u8]) -> Step<Certificates> {
    Certificates::parse(pem).map(Certificates::without_lists).map_err(|fault| {
        usage(
            format!("the certificates of timestamping authorities cannot be read: {fault}"),
            "không đọc được tệp chứng thư của tổ chức cấp dấu thời gian (PEM)",
        )
    })
}

/// What an authority says of the checkpoint: of the archive's own lines, whoever else has signed since.
fn stamped(receipt: &Receipt, checked: &Checked, token: &[u8], trusted: &Certificates) -> Step<Stamp> {
    let wrong = |fault: String| tampered(fault, "dấu thời gian không đúng hoặc không phải của điểm kiểm tra này");
    let note = Note::parse(&receipt.checkpoint_note).map_err(|fault| wrong(fault.to_string()))?;
    let mut own = format!("{}\n", note.text());
    let lines = note.lines().iter().filter(|line| line.name == checked.checkpoint.origin);
    lines.for_each(|line| own += &line.to_string());
    let message = Digest::of(own.as_bytes());
    let stamp = Token::read(token).and_then(|token| token.verify(message, trusted));
    let stamp = stamp.map_err(|fault| wrong(format!("the timestamp does not hold: {fault}")))?;
    if is_late(checked.entry.at, stamp.time) {
        return Err(wrong(format!("the entry is later than the timestamp, which says {}", stamp.time)));
    }
    Ok(stamp)
}

pub(in crate::verify) fn keys(bytes: &[u8]) -> Step<KeyFile> {
    let text = std::str::from_utf8(bytes).map_err(|_| NoteFault::Malformed("the key file is not UTF-8"));
    text.and_then(str::parse).map_err(|fault| {
        usage(
            format!("the key file cannot be read ({fault}). Ask the archive for keys/archive.keys again"),
            "không đọc được tệp khóa. Đề nghị kho lưu trữ cấp lại keys/archive.keys",
        )
    })
}

fn read(bytes: &[u8]) -> Step<Receipt> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // What begins as a receipt and goes on otherwise was one once.
        Err(_) if bytes.starts_with(format!("{}\n", proof::FIRST_LINE).as_bytes()) => {
            return Err(refused(&ReceiptFault::Malformed("not UTF-8")));
        }
        Err(_) => return Err(refused(&ReceiptFault::NotAReceipt)),
    };
    Receipt::parse(text).map_err(|fault| refused(&fault))
}

fn refused(fault: &ReceiptFault) -> Box<Verdict> {
    let vietnamese = match fault {
        ReceiptFault::NotAReceipt => {
            let english = format!("{fault}. Give the receipt first, then the file, then the key file");
            return usage(english, "tệp thứ nhất không phải là biên nhận. Thứ tự: biên nhận, tệp, tệp khóa");
        }
        ReceiptFault::Malformed(_) => "biên nhận bị hỏng hoặc đã bị sửa",
        ReceiptFault::Checkpoint(NoteFault::Malformed(_)) => "điểm kiểm tra trong biên nhận bị hỏng hoặc đã bị sửa",
        ReceiptFault::Checkpoint(NoteFault::UnknownKey) => {
            "biên nhận không được ký bằng khóa đang dùng nào trong tệp khóa"
        }
        ReceiptFault::Checkpoint(NoteFault::BadSignature) => "chữ ký không khớp với nội dung biên nhận",
        ReceiptFault::NotIncluded => "sự kiện không nằm trong sổ cái mà kho lưu trữ đã ký",
        ReceiptFault::Entry(_) => "nội dung nằm trong sổ cái nhưng không phải là sự kiện đúng dạng",
    };
    tampered(fault.to_string(), vietnamese)
}

/// The unit that the entry is about, and the description that it names.
fn subject(checked: &Checked) -> Step<(Unit, Digest)> {
    let event = &checked.entry.event;
    event.told_by().ok_or_else(|| {
        tampered(
            format!("the entry ({}) names no description: this receipt is not for a file", event.name()),
            "sự kiện không nêu bản mô tả nào: đây không phải biên nhận của một tệp",
        )
    })
}

/// The components that the description has: none, where it is a stub or a certificate.
fn describe(bytes: &[u8], event: &Event, unit: Unit, named: Digest) -> Step<Vec<Digest>> {
    if Digest::of(bytes) != named {
        return Err(tampered(
            "this is not the description that the entry names".into(),
            "bản mô tả không phải là bản mà sự kiện nêu",
        ));
    }
    let wrong = |fault: NotStated| tampered(fault.to_string(), "bản mô tả không đúng dạng chuẩn (RFC 8785)");
    let (is_its, components) = match event.stub() {
        Some(_) => (Remains::read(bytes).map_err(wrong)?.is_of(event), Vec::new()),
        None => {
            let description = Stated::read(bytes).map_err(wrong)?;
            let components = description.components.into_iter().map(|(sha256, _)| sha256).collect();
            (description.unit == unit, components)
        }
    };
    if !is_its {
        return Err(tampered(
            "the description is of another record than the entry, or of another file or fonds".into(),
            "bản mô tả thuộc về tài liệu, hồ sơ hoặc phông khác với sự kiện nêu",
        ));
    }
    Ok(components)
}

/// Of what has no components, the description itself is the file.
fn component(components: &[Digest], named: Digest, file: Digest) -> Step<()> {
    if file == named || components.contains(&file) {
        return Ok(());
    }
    Err(tampered(
        "the file is none of the components that the description lists".into(),
        "tệp không phải là tệp nào được nêu trong bản mô tả",
    ))
}

fn holds(receipt: &Receipt, checked: &Checked, unit: Unit, outside: (bool, Option<Stamp>)) -> Verdict {
    let (mut vi, mut en) = (String::new(), String::new());
    if outside.0 {
        (vi, en) = (", bên chứng kiến".into(), ", witnesses".into());
    }
    let (mut then_vi, mut then_en) = (String::new(), String::new());
    if let Some(stamp) = outside.1 {
        (vi, en) = (vi + ", dấu thời gian", en + ", timestamp");
        then_vi = format!(" Đã có trước {} theo tổ chức cấp dấu thời gian.", stamp.time);
        then_en = format!(" It was there at {}, as a timestamping authority says.", stamp.time);
    }
    let (at, size, origin) = (checked.entry.at, checked.checkpoint.size, &checked.checkpoint.origin);
    let (event, index) = (checked.entry.event.name(), receipt.index);
    let (kind, kind_vi) = (unit.kind().as_str(), unit.kind().vi());
    Verdict {
        outcome: Outcome::Holds,
        english: format!(
            "HOLDS: the file is the one in {kind} {unit}, {event} at {at}, entry {index} of {size} in the ledger \
             of {origin}. Checked: key, signature, inclusion, entry, description, file{en}.{then_en}"
        ),
        vietnamese: format!(
            "ĐÚNG: tệp đúng là tệp của {kind_vi} {unit}, sự kiện {event} lúc {at}, mục {index} trên {size} trong sổ \
             cái của {origin}. Đã kiểm tra: khóa, chữ ký, vị trí trong sổ cái, sự kiện, bản mô tả, tệp{vi}.{then_vi}"
        ),
    }
}

fn without_description(receipt: &Receipt, checked: &Checked) -> Box<Verdict> {
    let (at, index) = (checked.entry.at, receipt.index);
    incomplete(
        format!("the receipt holds (entry {index}, {at}), but only its description ties it to a file: give that too"),
        &format!("biên nhận đúng (mục {index}, {at}), nhưng phải có bản mô tả mới đối chiếu được tệp"),
    )
}

fn too_few() -> Box<Verdict> {
    incomplete(
        "the receipt holds, but too few witnesses cosigned it: ask the archive for it again, or find out what the \
         witnesses have seen"
            .into(),
        "biên nhận đúng, nhưng chưa đủ bên chứng kiến ký: đề nghị kho cấp lại biên nhận, hoặc hỏi các bên chứng kiến",
    )
}

fn without_file() -> Box<Verdict> {
    incomplete(
        "receipt and description hold, but no file was given to compare with".into(),
        "biên nhận và bản mô tả đúng, nhưng chưa có tệp để đối chiếu",
    )
}

pub(in crate::verify) fn tampered(why: String, reason: &str) -> Box<Verdict> {
    Box::new(Verdict {
        outcome: Outcome::Tampered,
        english: format!(
            "DOES NOT HOLD: {why}. Do not rely on the file; keep everything as it is and ask the archive."
        ),
        vietnamese: format!("KHÔNG ĐÚNG: {reason}. Không sử dụng tệp; giữ nguyên hiện trạng và hỏi kho lưu trữ."),
    })
}

pub(in crate::verify) fn incomplete(why: String, reason: &str) -> Box<Verdict> {
    Box::new(Verdict {
        outcome: Outcome::Incomplete,
        english: format!("INCOMPLETE: {why}."),
        vietnamese: format!("CHƯA ĐỦ: {reason}."),
    })
}

pub(in crate::verify) fn usage(why: String, reason: &str) -> Box<Verdict> {
    Box::new(Verdict {
        outcome: Outcome::Usage,
        english: format!("CANNOT BE CHECKED: {why}."),
        vietnamese: format!("KHÔNG KIỂM TRA ĐƯỢC: {reason}."),
    })
}
