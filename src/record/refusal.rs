//! A refusal (từ chối): why an act of arrangement is not done, and what to do instead, in both languages.

use serde::Serialize;

macro_rules! refusals {
    ($($variant:ident $code:literal $vi:literal $en:literal)*) => {
        /// Why not, as a code that never changes its meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
        pub enum Refusal {
            $(#[serde(rename = $code)] $variant,)*
        }

        impl Refusal {
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant),*];

            pub fn as_str(&self) -> &'static str {
                match self { $(Refusal::$variant => $code,)* }
            }

            /// Why not and what to do, in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $(Refusal::$variant => $vi,)* }
            }

            /// Why not and what to do, in English.
            pub fn en(&self) -> &'static str {
                match self { $(Refusal::$variant => $en,)* }
            }
        }
    };
}

refusals! {
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
        "tài liệu của cơ quan đã kết thúc ở lại phông của cơ quan đó, không nhập vào phông của cơ quan kế thừa"
        "records of an ended agency stay in its own fonds and are never merged into a successor's"
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

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for refusal in Refusal::ALL {
            assert!(seen.insert(refusal.as_str()), "{refusal:?} is told twice");
            assert_eq!(serde_json::to_value(refusal).unwrap(), refusal.as_str());
            assert!(refusal.vi().len() > 20 && refusal.en().len() > 20 && refusal.vi() != refusal.en(), "{refusal:?}");
        }
    }
}
