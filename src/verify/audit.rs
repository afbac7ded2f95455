//! The report of an audit, judged on another machine: is it what the archive signed, is the sample the one that follows from
//! checkpoint and nonce, do the proofs hold, and are the answers those of the bytes?
//!
//! # Why
//! *Nothing of the report is believed.* It comes from the archive that was audited; all that can follow from something
//! else is made again and compared, and what is left is named as the archive's word.
//!
//! *A report that tells of damage holds.* Whether the archive is in order is what it says; here is judged whether it may say
//! so.

use crate::ledger::{
    checkpoint::Checkpoint,
    keys::KeyFile,
    merkle::{leaf_hash, verify_consistency, verify_inclusion},
    note::Note,
    proof::Receipt,
};
use crate::record::{
    audit::{Found, NonceBy, NotAReport, Pledged, Report, Sampled, Seen, Signed, Totals, asking},
    digest::{Digest, Hasher},
    entry::{Entry, Instant},
    sampling::{self, Terms},
    unit::Unit,
};
use crate::store::{Store, StoreError, layout};
use crate::verify::{
    Outcome, Verdict,
    description::Stated,
    receipt::{Step, incomplete, keys, read_policy, tampered, usage},
};
use futures::TryStreamExt;
use std::collections::{BTreeMap, BTreeSet};

/// How every report begins, so that one that was changed is told from a file that never was one.
const BEGINNING: &[u8] = b"{\"report\":{";
/// A description is no longer than this.
const DESCRIPTION_BYTES_MAX: u64 = 64 << 20;

/// What a report is judged by, as files.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub report: &'a [u8],
    /// From elsewhere than the report.
    pub keys: &'a [u8],
    /// Which witnesses must have cosigned the checkpoint.
    pub policy: Option<&'a [u8]>,
    /// The nonce that the auditor brought.
    pub nonce: Option<Digest>,
}

/// Hears how many entries have been compared with the bytes, and of how many.
pub type Tell = dyn Fn(u64, u64) + Send + Sync;

/// A report that holds as far as it goes without bytes.
struct Judged {
    report: Report,
    pledged: Instant,
    /// Did enough witnesses cosign? `None` where nobody asked for any.
    witnessed: Option<bool>,
}

/// What came of comparing it with bytes.
#[derive(Default)]
struct Compared {
    objects: u64,
    /// Objects that were whole somewhere and are not among the bytes.
    missing: u64,
    wrong: Option<String>,
}

/// Judges a report, and its answers by the bytes where they are given: a place that has the descriptions and components as
/// an archive has them. Checked in this order: keys, policy, form, signature, checkpoint, witnesses, pledge, nonce, sample,
/// proofs, findings, bytes.
pub async fn recheck(given: &Given<'_>, bytes: Option<&Store>, tell: &Tell) -> Verdict {
    match judge(given) {
        Err(verdict) => *verdict,
        Ok(judged) => {
            let compared = match bytes {
                Some(store) => Some(compare(&judged.report, store, tell).await),
                None => None,
            };
            conclude(&judged, compared).unwrap_or_else(|verdict| *verdict)
        }
    }
}

fn judge(given: &Given<'_>) -> Step<Judged> {
    let keys = keys(given.keys)?;
    let policy = given.policy.map(read_policy).transpose()?;
    let Signed { report, signature } = read(given.report)?;
    signed(&report, &signature, &keys)?;
    let checkpoint = checkpoint(&report, &keys)?;
    let note = Note::parse(&report.checkpoint).map_err(|fault| wrong(fault.to_string()))?;
    let witnessed = policy.map(|policy| policy.is_met(&note)).transpose().map_err(|_| {
        tampered(
            "the signature of a witness does not fit text and key".into(),
            "chữ ký của một bên chứng kiến không khớp với điểm kiểm tra",
        )
    })?;
    let pledged = pledged(&report, &keys)?;
    if given.nonce.is_some_and(|nonce| nonce != report.nonce || report.nonce_by != NonceBy::Auditor) {
        return Err(tampered(
            "this is not the nonce that you brought".into(),
            "số ngẫu nhiên trong báo cáo không phải số mà bạn đã đưa",
        ));
    }
    sample(&report, &checkpoint)?;
    findings(&report)?;
    Ok(Judged { report, pledged, witnessed })
}

fn wrong(why: String) -> Box<Verdict> {
    tampered(why, "báo cáo bị hỏng, đã bị sửa, hoặc không đúng với sổ cái")
}

fn read(bytes: &[u8]) -> Step<Signed> {
    Signed::from_bytes(bytes).map_err(|fault| match fault {
        NotAReport::TooLarge => usage(format!("the report cannot be read: {fault}"), "báo cáo quá lớn"),
        fault if bytes.starts_with(BEGINNING) => wrong(format!("the report does not hold: {fault}")),
        fault => usage(
            format!("the first file is no report of an audit ({fault}). Give the report first, then the key file"),
            "tệp thứ nhất không phải báo cáo kiểm tra. Thứ tự: báo cáo, tệp khóa",
        ),
    })
}

/// The archive signed this report, after it had pledged it.
fn signed(report: &Report, signature: &str, keys: &KeyFile) -> Step<()> {
    let fault = |fault: String| wrong(format!("the report's signature does not hold: {fault}"));
    let (size, digest) = keys.open_audit(signature).map_err(|error| fault(error.to_string()))?;
    let own = report.digest().map_err(|error| fault(error.to_string()))?;
    match digest == own && size > report.pledge && report.origin == keys.origin() {
        true => Ok(()),
        false => Err(fault("it is of another report".into())),
    }
}

/// The state that was audited, as the archive signed it.
fn checkpoint(report: &Report, keys: &KeyFile) -> Step<Checkpoint> {
    let fault = |fault: &dyn std::fmt::Display| wrong(format!("the checkpoint does not hold: {fault}"));
    let checkpoint = keys.open_checkpoint(&report.checkpoint).map_err(|error| fault(&error))?;
    let note = Note::parse(&report.checkpoint).map_err(|error| fault(&error))?;
    let others = note.lines().iter().filter(|line| line.name != checkpoint.origin).count();
    if (checkpoint.size, checkpoint.root) != (report.size, report.root) || report.witnesses as usize > others {
        return Err(fault(&"it is of another size or root, or fewer witnesses signed it"));
    }
    Ok(checkpoint)
}

/// When the audit was pledged, on these terms, in the ledger that goes on from the state that was audited.
fn pledged(report: &Report, keys: &KeyFile) -> Step<Instant> {
    let fault = |fault: String| wrong(format!("the pledge does not hold: {fault}"));
    let receipt = Receipt::parse(&report.receipt).map_err(|error| fault(error.to_string()))?;
    let checked = receipt.check(keys).map_err(|error| fault(error.to_string()))?;
    let at = checked.entry.at;
    let Report { pledge: seq, by, size, root, nonce, nonce_by, share_ppm, confidence_ppm, .. } = *report;
    let expected = Pledged { seq, at, by, size, root, nonce, nonce_by, share_ppm, confidence_ppm };
    if Pledged::of(receipt.index, &checked.entry) != Some(expected) {
        return Err(fault("its entry does not pledge this audit on these terms".into()));
    }
    let (later, later_root) = (checked.checkpoint.size, checked.checkpoint.root);
    if seq < size || !verify_consistency(size, root, later, later_root, &report.growth) {
        return Err(fault("the ledger that it is in does not go on from the state that was audited".into()));
    }
    if report.ended < report.began {
        return Err(fault("the audit ends before it begins".into()));
    }
    Ok(at)
}

/// The sample is the one that follows from checkpoint and nonce, and each entry of it is in the tree.
fn sample(report: &Report, checkpoint: &Checkpoint) -> Step<()> {
    let terms = Terms::new(report.share_ppm, report.confidence_ppm);
    let terms = terms.map_err(|fault| wrong(format!("the terms are none: {fault}")))?;
    let seed = sampling::seed(&checkpoint.body(), report.nonce);
    let drawn = sampling::draw(seed, report.size, terms.size(report.size));
    if !report.entries.iter().map(|one| one.index).eq(drawn) {
        return Err(tampered(
            "the sample is not the one that follows from checkpoint and nonce".into(),
            "mẫu không phải là mẫu được suy ra từ điểm kiểm tra và số ngẫu nhiên",
        ));
    }
    report.entries.iter().try_for_each(|one| {
        let fault = |why: &str| wrong(format!("entry {} of the sample does not hold: {why}", one.index));
        let leaf = match (&one.entry, one.leaf) {
            (Some(entry), None) => leaf_hash(entry.as_bytes()),
            (None, Some(leaf)) => leaf,
            _ => return Err(fault("it is shown and withheld, or neither")),
        };
        if !verify_inclusion(leaf, one.index, report.size, &one.path, report.root) {
            return Err(fault("it is not in the tree that the checkpoint signs"));
        }
        if let Some((_, named)) = subject(one)?
            && named.is_some() != (one.objects.first().map(|object| object.component) == Some(0))
        {
            return Err(fault("what was read of it is not what it names"));
        }
        Ok(())
    })
}

/// The unit that a shown entry is about, and the description that it names; `None` where it is withheld.
fn subject(one: &Sampled) -> Step<Option<(Option<Unit>, Option<Digest>)>> {
    let Some(text) = &one.entry else { return Ok(None) };
    let entry = Entry::from_bytes(text.as_bytes());
    let entry = entry.map_err(|fault| wrong(format!("entry {} of the sample is none: {fault}", one.index)))?;
    if entry.event.description().is_none() && !one.objects.is_empty() {
        return Err(wrong(format!("entry {} names no description, and one was read", one.index)));
    }
    Ok(Some((entry.event.unit(), entry.event.description())))
}

/// Of each object it is said at each place that it was whole, or what was wrong; and the totals are those of the lists.
fn findings(report: &Report) -> Step<()> {
    let fault = |why: &str| wrong(format!("the findings do not fit together: {why}"));
    let places: BTreeSet<u32> = report.places.iter().copied().collect();
    let sorted = report.findings.is_sorted_by(|one, next| one < next);
    if !sorted || places.len() != report.places.len() || report.away.iter().any(|place| places.contains(place)) {
        return Err(fault("a place or a finding is told twice"));
    }
    let key = |found: &Found| (found.index, found.component, found.place);
    let found: BTreeSet<_> = report.findings.iter().map(key).collect();
    let mut objects = BTreeSet::new();
    for one in &report.entries {
        for Seen { component, bytes, answer, whole } in &one.objects {
            let told = |place: &u32| whole.contains(place) || found.contains(&(one.index, *component, *place));
            let answered = answer.is_some() == bytes.is_some() && (answer.is_some() || whole.is_empty());
            if !answered || !places.iter().all(told) || whole.iter().any(|place| !places.contains(place)) {
                return Err(fault(&format!("object {component} of entry {} is not told at every place", one.index)));
            }
            if !objects.insert((one.index, *component)) {
                return Err(fault("an object is told twice"));
            }
        }
    }
    if found.iter().any(|(index, component, _)| !objects.contains(&(*index, *component))) {
        return Err(fault("a finding is about nothing that was read"));
    }
    match Totals::of(&report.entries, &report.findings) == report.totals {
        true => Ok(()),
        false => Err(fault("the totals are not those of what is told")),
    }
}

/// Holds every answer against the bytes.
async fn compare(report: &Report, store: &Store, tell: &Tell) -> Compared {
    let mut compared = Compared::default();
    // The checkpoint was opened before.
    let body = Checkpoint { origin: report.origin.clone(), size: report.size, root: report.root }.body();
    let seed = sampling::seed(&body, report.nonce);
    for (done, one) in (1..).zip(&report.entries) {
        if let Ok(Some((Some(unit), Some(named)))) = subject(one)
            && let Err(wrong) = compare_one(store, (unit, named), one, seed, &mut compared).await
        {
            compared.wrong = Some(format!("entry {}: {wrong}", one.index));
            return compared;
        }
        tell(done, report.entries.len() as u64);
    }
    compared
}

async fn compare_one(
    store: &Store,
    (unit, named): (Unit, Digest),
    one: &Sampled,
    seed: Digest,
    compared: &mut Compared,
) -> Result<(), String> {
    let path = layout::description(unit, named);
    let is_expected = |seen: &&Seen| seen.answer.is_some();
    match store.digest(&path).await {
        Ok((digest, size)) if digest == named && size <= DESCRIPTION_BYTES_MAX => {}
        Ok(_) => return Err("the description among the bytes is not the one that the entry names".into()),
        Err(StoreError::Absent(_)) => {
            compared.missing += one.objects.iter().filter(is_expected).count() as u64;
            return Ok(());
        }
        Err(error) => return Err(error.to_string()),
    }
    let bytes = store.read(&path).await.map_err(|error| error.to_string())?;
    let stated = Stated::read(&bytes).map_err(|fault| fault.to_string())?;
    let components: BTreeMap<u32, Digest> =
        stated.ordinals.iter().copied().zip(stated.components.iter().map(|(digest, _)| *digest)).collect();
    let read: BTreeSet<u32> = one.objects.iter().map(|seen| seen.component).filter(|ordinal| *ordinal > 0).collect();
    // Where no place had the description, nobody could say what it names.
    let described = one.objects.first().is_some_and(|seen| seen.answer.is_some());
    if stated.unit != unit || described && !read.iter().eq(components.keys()) {
        return Err("what was read is not what the description names".into());
    }
    for seen in one.objects.iter().filter(is_expected) {
        let (path, expected) = match components.get(&seen.component) {
            None => (path.clone(), named),
            Some(digest) => (layout::component(unit, *digest), *digest),
        };
        match answer(store, &path, asking(seed, stated.salt)).await {
            Ok((found, ..)) if found != expected => return Err("a component among the bytes is not the one".into()),
            Ok((_, bytes, answer)) if (Some(bytes), Some(answer)) != (seen.bytes, seen.answer) => {
                return Err("the answer is not that of the bytes: they were not read for this audit".into());
            }
            Ok(_) => compared.objects += 1,
            Err(StoreError::Absent(_)) => compared.missing += 1,
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// Digest, size and answer of an object.
async fn answer(store: &Store, path: &str, mut answer: Hasher) -> Result<(Digest, u64, Digest), StoreError> {
    let (mut pieces, mut plain) = (store.read_pieces(path).await?, Hasher::default());
    while let Some(piece) = pieces.try_next().await? {
        plain.update(&piece);
        answer.update(&piece);
    }
    let bytes = plain.size;
    Ok((plain.finish(), bytes, answer.finish()))
}

fn conclude(judged: &Judged, compared: Option<Compared>) -> Step<Verdict> {
    if let Some(wrong) = compared.as_ref().and_then(|compared| compared.wrong.clone()) {
        return Err(tampered(
            format!("the report does not fit the bytes: {wrong}"),
            "báo cáo không khớp với các byte được đưa ra",
        ));
    }
    if let Some(missing) = compared.as_ref().map(|compared| compared.missing).filter(|missing| *missing > 0) {
        return Err(incomplete(
            format!("the report holds, but {missing} objects are not among the bytes: give all of the sample"),
            &format!("báo cáo đúng, nhưng thiếu {missing} tệp của mẫu để đối chiếu"),
        ));
    }
    if judged.witnessed == Some(false) {
        return Err(incomplete(
            "the report holds, but too few witnesses cosigned its checkpoint: ask them what they have seen".into(),
            "báo cáo đúng, nhưng chưa đủ bên chứng kiến ký điểm kiểm tra: hãy hỏi các bên chứng kiến",
        ));
    }
    Ok(holds(judged, compared.map(|compared| compared.objects)))
}

fn holds(judged: &Judged, objects: Option<u64>) -> Verdict {
    let Judged { report, pledged, witnessed } = judged;
    let Report { origin, pledge, size, .. } = report;
    let Totals { entries, withheld, faults, repaired, lost, .. } = report.totals;
    let (mut vi, mut en) = (String::new(), String::new());
    if witnessed.is_some() {
        (vi, en) = (", bên chứng kiến".into(), ", witnesses".into());
    }
    let (mut then_vi, mut then_en) = (String::new(), String::new());
    match objects {
        Some(objects) => {
            vi += &format!(", {objects} tệp theo byte");
            en += &format!(", {objects} objects by their bytes");
        }
        None => {
            then_vi += " Chưa đưa byte để đối chiếu (--bytes): việc đã đọc là lời của kho.";
            then_en += " No bytes were given (--bytes): that they were read is the archive's word.";
        }
    }
    if withheld > 0 {
        then_vi += &format!(" {withheld} sự kiện của tài liệu mật chỉ được chứng minh, không nêu nội dung.");
        then_en += &format!(" {withheld} entries of secret records are proved and not shown.");
    }
    Verdict {
        outcome: Outcome::Holds,
        english: format!(
            "HOLDS: the audit that entry {pledge} in the ledger of {origin} pledged at {pledged} looked at {entries} of \
             {size} entries: {faults} faults, {repaired} repaired, {lost} lost. Checked: key, signature, checkpoint, \
             pledge, sample, proofs, findings{en}.{then_en}"
        ),
        vietnamese: format!(
            "ĐÚNG: lần kiểm tra cam kết tại mục {pledge} trong sổ cái của {origin} lúc {pledged} đã xem {entries} trên \
             {size} sự kiện: {faults} lỗi, {repaired} đã phục hồi, {lost} mất. Đã kiểm tra: khóa, chữ ký, điểm kiểm \
             tra, cam kết, mẫu, chứng minh, kết quả{vi}.{then_vi}"
        ),
    }
}
