//! Each paper holds every name and number that it needs, and nothing that came from outside is markup.

use crate::exchange::dossier::{
    Person, Row,
    council::{self, CouncilDecision, Meeting, Reviewed, Said},
    decision::{self, Appraisal, DestructionDecision},
    list::{self, Explanation, List},
    minutes::{self, Annexed, Destruction, Handover},
    paper::{self, Foot, Head, Issuer, Signer},
};

/// What a stranger may have written: it closes what is open, runs, loads, and turns the line round.
const HOSTILE: &str = "</td></style><script>alert(1)</script><img src=x onerror=\"alert('2')\">\u{202e}&nbsp;\u{0}";

/// Gives every value a name of its own, and remembers it.
struct Maker {
    hostile: bool,
    told: Vec<String>,
}

impl Maker {
    fn text(&mut self, name: &str) -> String {
        let text = if self.hostile { HOSTILE.to_owned() } else { format!("{name} số {}", self.told.len()) };
        self.told.push(text.clone());
        text
    }
    fn number(&mut self) -> u64 {
        let number = 2_000_003 + 7 * self.told.len() as u64;
        self.told.push(paper::count(number));
        number
    }
    fn head(&mut self) -> Head {
        let (parent, agency, place) = (Some(self.text("Cấp trên")), self.text("Cơ quan"), self.text("Nơi"));
        self.told.push("ngày 05 tháng 02 năm 2026".into());
        let number = Some(self.text("48/QĐ"));
        Head { issuer: Issuer { parent, agency, place }, number, day: "2026-02-05".parse().unwrap() }
    }
    fn foot(&mut self) -> Foot {
        let mut signer =
            || Signer { power: self.text("KT."), title: self.text("Chức"), name: self.text("Người ký") };
        let signers = vec![signer(), signer()];
        Foot { recipients: vec![self.text("Như trên")], signers }
    }
    fn person(&mut self) -> Person {
        Person { name: self.text("Tên"), title: self.text("Chức vụ"), part: self.text("Vai") }
    }
    /// A row as the whole table of units shows it.
    fn row(&mut self) -> Row {
        let row = Row {
            code: self.text("Mã"),
            title: self.text("Tiêu đề"),
            years: self.text("Năm"),
            period: self.text("Thời hạn"),
            ground: self.text("Lý do"),
            records: self.number(),
            pages: self.number(),
            bytes: 0,
            note: self.text("Ghi chú"),
        };
        self.told.push("Tổng số".into());
        Row { bytes: self.number(), ..row }
    }
    /// A row of which only code and title are shown.
    fn short(&mut self) -> Row {
        let (code, title) = (self.text("Mã"), self.text("Tiêu đề"));
        let kept = self.told.len();
        let row = Row { code, title, ..self.row() };
        self.told.truncate(kept);
        row
    }
}

fn papers(make: &mut Maker) -> Vec<(&'static str, String, Vec<String>)> {
    let mut all = Vec::new();
    let mut add = |kind, text: String, make: &mut Maker| all.push((kind, text, std::mem::take(&mut make.told)));
    let list = List {
        head: make.head(),
        fonds: make.text("Phông"),
        case: make.text("Hồ sơ xử lý"),
        rows: vec![make.row()],
        foot: make.foot(),
    };
    add("DANH MỤC", list::print_list(&list), make);
    let units = 12;
    let explanation = Explanation {
        head: make.head(),
        fonds: make.text("Phông"),
        case: make.text("Hồ sơ xử lý"),
        origin: make.text("Nguồn gốc"),
        years: make.text("Năm"),
        grounds: vec![(make.text("Hết thời hạn"), units)],
        contents: vec![make.text("Nội dung")],
        schedules: vec![make.text("Bảng thời hạn lưu trữ")],
        rows: vec![],
        foot: make.foot(),
    };
    add("BẢN THUYẾT MINH", list::print_explanation(&explanation), make);
    let set_up = CouncilDecision {
        head: make.head(),
        authority: make.text("GIÁM ĐỐC"),
        basis: vec![make.text("Căn cứ một"), make.text("Căn cứ hai")],
        case: make.text("Hồ sơ xử lý"),
        council: vec![make.person(), make.person()],
        foot: make.foot(),
    };
    add("QUYẾT ĐỊNH", council::print_decision(&set_up), make);
    let said =
        Said { name: make.text("Thành viên"), outcome: make.text("hủy"), reason: make.text("Hết giá trị") };
    let reviewed = Reviewed {
        row: make.short(),
        opinions: vec![said],
        outcome: make.text("hủy"),
        reason: make.text("Lý do"),
        agree: make.number(),
        against: make.number(),
        abstained: make.number(),
    };
    let meeting = Meeting {
        head: make.head(),
        case: make.text("Hồ sơ xử lý"),
        began: make.text("08 giờ"),
        ended: make.text("10 giờ"),
        place: make.text("Phòng họp"),
        present: vec![make.person()],
        absent: vec![make.person()],
        set_up_by: make.text("Quyết định"),
        reviewed: vec![reviewed],
        foot: make.foot(),
    };
    add("BIÊN BẢN", council::print_meeting(&meeting), make);
    let appraisal = Appraisal {
        head: make.head(),
        to: make.text("Kính gửi"),
        request: make.text("Công văn"),
        case: make.text("Hồ sơ xử lý"),
        agreed: vec![make.row()],
        not_agreed: vec![(make.short(), make.text("Còn giá trị"))],
        foot: make.foot(),
    };
    add("VĂN BẢN THẨM ĐỊNH", decision::print_appraisal(&appraisal), make);
    let decision = DestructionDecision {
        head: make.head(),
        authority: make.text("GIÁM ĐỐC"),
        basis: vec![make.text("Căn cứ")],
        case: make.text("Hồ sơ xử lý"),
        rows: vec![make.row()],
        spared: vec![make.short()],
        executed_by: make.text("Phòng"),
        until: make.text("08/12/2026"),
        foot: make.foot(),
    };
    add("QUYẾT ĐỊNH", decision::print_decision(&decision), make);
    let handover = Handover {
        head: make.head(),
        decision: make.text("Quyết định"),
        case: make.text("Hồ sơ xử lý"),
        place: make.text("Kho"),
        giver: make.person(),
        taker: make.person(),
        rows: vec![make.row()],
        copies: 2,
        foot: make.foot(),
    };
    add("BIÊN BẢN", minutes::print_handover(&handover), make);
    let certificate = Annexed { record: make.text("Mã"), certificate: make.text("5fa3"), entry: make.number() };
    let destruction = Destruction {
        head: make.head(),
        decision: make.text("Quyết định"),
        case: make.text("Hồ sơ xử lý"),
        began: make.text("08 giờ"),
        ended: make.text("10 giờ"),
        place: make.text("Kho"),
        people: vec![make.person(), make.person()],
        method: make.text("Ghi đè"),
        rows: vec![make.row()],
        certificates: vec![certificate],
        limits: vec![make.text("Bản in")],
        foot: make.foot(),
    };
    add("BIÊN BẢN", minutes::print_destruction(&destruction), make);
    all
}

/// The elements of a page: what a browser would see as markup.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn every_paper_holds_its_names_and_numbers() {
    let papers = papers(&mut Maker { hostile: false, told: Vec::new() });
    assert_eq!(papers.len(), 8, "danh mục, thuyết minh, hai quyết định, thẩm định, ba biên bản");
    for (kind, page, told) in &papers {
        for value in told {
            assert!(page.contains(value.as_str()), "{kind}: {value} is missing\n{page}");
        }
        assert!(page.to_uppercase().contains(&format!("<H1>{kind}</H1>")), "{kind}");
        for head in ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "size:A4", "lang=\"vi\""]
        {
            assert!(page.contains(head), "{kind}: {head}");
        }
    }
}

/// Titles are written by strangers.
#[test]
fn nothing_from_outside_is_markup() {
    let plain = papers(&mut Maker { hostile: false, told: Vec::new() });
    let hostile = papers(&mut Maker { hostile: true, told: Vec::new() });
    for ((kind, good, _), (_, bad, told)) in plain.iter().zip(&hostile) {
        // A number stands to the right, and a hostile text is none.
        let bare = |page| tags(page).into_iter().map(|tag: &str| tag.replace(" class=\"n\"", "")).collect::<Vec<_>>();
        assert_eq!(bare(good), bare(bad), "{kind}: the same elements, whatever is in them");
        assert!(told.iter().any(|value| value == HOSTILE));
        for never in ["<script", "<img", "onerror=\"", "\u{202e}", "\u{0}", "&nbsp;", "src=x>", "http"] {
            assert!(!bad.contains(never), "{kind}: {never:?}");
        }
        assert!(bad.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{kind}: it is shown as it was written");
    }
}

#[test]
fn days_and_numbers_as_officials_write_them() {
    for (day, long, short) in [
        ("2026-02-05", "ngày 05 tháng 02 năm 2026", "05/02/2026"),
        ("2026-11-23", "ngày 23 tháng 11 năm 2026", "23/11/2026"),
        ("2026-03-09", "ngày 09 tháng 3 năm 2026", "09/03/2026"),
        ("2026-03", "tháng 3 năm 2026", "03/2026"),
        ("2026", "năm 2026", "2026"),
    ] {
        let day = day.parse().unwrap();
        assert_eq!((paper::long_day(&day).as_str(), paper::short_day(&day).as_str()), (long, short));
    }
    for (number, text) in [(0, "0"), (999, "999"), (1_000, "1.000"), (1_234_567, "1.234.567")] {
        assert_eq!(paper::count(number), text);
    }
    let given = ["Căn cứ Luật Lưu trữ;".to_owned(), "Xét đề nghị của Hội đồng".to_owned()];
    let basis = paper::basis(&given);
    assert!(basis.contains("Luật Lưu trữ;</p>") && basis.contains("của Hội đồng.</p>"), "{basis}");
}
