//! What is said of a record: the document fields of TT 05/2025/TT-BNV (Annexes I–IV, `EAD_doc`) under our
//! names, plus what the circular lacks and officials ask for. `schemas/README.md` maps the names.

use crate::record::{access::Access, date::PartialDate, retention::trigger::Told, term::ClassRef};
use serde::{Deserialize, Serialize};

/// The document fields. Only `subject` is required to keep a record.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Trích yếu nội dung (`subject`, S500).
    pub subject: String,
    /// The depositor's own identifier (`docId`, S25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Mã tài liệu (`docCode`, S100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Số (`codeNumber`, S11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Ký hiệu (`codeNotation`, S30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// Ngày, tháng, năm ban hành (`issuedDate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<PartialDate>,
    /// Cơ quan ban hành (`organName`, S200).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// Cơ quan tham mưu: who prepared what another issued. Not in the circular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafting_agency: Option<String>,
    /// Cơ quan đang quản lý, as stated at intake. Not in the circular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custodian: Option<String>,
    /// Tên loại văn bản as given, `Quyết định`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its code 01–32 (`typeName`), where the list has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_code: Option<String>,
    /// Lĩnh vực. Not in the circular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Mã thủ tục hành chính. Not in the circular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedures: Vec<String>,
    /// Ngôn ngữ, codes 01–11 (`language`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Số trang (`numberOfPage`, N4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Mức độ tiếp cận (`mode`).
    pub access: Access,
    /// Mã phông.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fonds: Option<String>,
    /// Mã hồ sơ (`arcFileCode`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Số thứ tự trong hồ sơ (`docOrdinal`): the place in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_ordinal: Option<u32>,
    /// Từ khóa (`keyword`, S100 together).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Ký hiệu thông tin (`inforSign`, S30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information_sign: Option<String>,
    /// Mức độ tin cậy (`confidenceLevel`): 01 born digital, 02 digitised, 03 mixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Bút tích (`autograph`, S2000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<String>,
    /// Tình trạng vật lý (`format`): 01 good, 02 normal, 03 damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_condition: Option<String>,
    /// Có tệp quy trình xử lý (`process`, B1): one of the components tells how the document was worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_workflow: Option<bool>,
    /// Thời hạn lưu trữ (`maintenance`) as a code 01–07.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_code: Option<String>,
    /// Chế độ dự phòng (`riskRecovery`, B1): a security copy (bản dự phòng) is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_copy: Option<bool>,
    /// Tình trạng dự phòng (`riskRecoveryStatus`, S2): 01 it has been made, 02 not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_copy_status: Option<String>,
    /// Ghi chú (`description`, S500).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Hiệu lực as the depositor stated it (`Văn bản đang có hiệu lực`). Not in the circular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<String>,
    /// Mục trong bảng thời hạn lưu trữ: its own, where it is loose or lives longer than its file. Not in the circular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassRef>,
    /// What started or will start a clock, where no other field says it: that it ceased to be in force, an event that a
    /// schedule names. Not in the circular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Told>,
    /// Lý do là tài liệu rời: why it lies in no file (TT 05/2025/TT-BNV art. 17.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loose_reason: Option<String>,
}
