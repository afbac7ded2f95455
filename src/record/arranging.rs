//! Why an act of arrangement is not done, and what to do instead.

use crate::record::refusal::refusals;

refusals! {
    /// Why not, as a code that never changes its meaning.
    Refusal;
    NotYourRole "not_your_role"
        "vai trò của bạn không được làm việc này; nhờ người có thẩm quyền"
        "your role may not do this; ask somebody whose role may"
    NotNow "not_now"
        "trạng thái hiện tại không cho phép việc này; xem trạng thái và bước tiếp theo"
        "the present state does not allow this; look at the state and its next step"
    NotThere "not_there"
        "hồ sơ chưa được mở; mở hồ sơ trước"
        "the file was not opened yet; open it first"
    AlreadyThere "already_there"
        "hồ sơ đã được mở; không mở lần thứ hai"
        "the file is open already; it is not opened twice"
    NoReason "no_reason"
        "thiếu lý do; ghi lý do rồi làm lại"
        "the reason is missing; give it and try again"
    SamePerson "same_person"
        "người nộp hoặc người lập không được tự nhận, tự duyệt; nhờ người khác"
        "who made or submitted this may not accept or approve it; ask another person"
    Flawed "flawed"
        "còn thiếu sót phải sửa trước; xem danh sách thiếu sót"
        "there are flaws to be mended first; see their list"
    FondsClosed "fonds_closed"
        "phông đã đóng; không nhận hồ sơ có thời gian sau ngày đóng phông"
        "the fonds is closed; it takes no file that begins after its last day"
    NeverMerged "never_merged"
        "tài liệu của cơ quan đã kết thúc ở lại phông của cơ quan đó, không nhập vào phông của cơ quan kế thừa; để nguyên ở đó"
        "records of an ended agency stay in its own fonds and are never merged into a successor's; leave them there"
    AnotherAgency "another_agency"
        "cơ quan này không phải cơ quan của bạn; nhờ người có thẩm quyền của cơ quan đó"
        "this is not your agency; ask the competent person of that agency"
    NoDecision "no_decision"
        "thiếu số, ký hiệu hoặc ngày của quyết định; ghi quyết định ban hành"
        "number or date of the decision is missing; give the decision"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::refusal::assert_told;

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        assert_told(Refusal::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())));
    }
}
