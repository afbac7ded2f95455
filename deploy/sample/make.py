#!/usr/bin/env python3
"""Writes the sample documents of this folder and their manifest.

usage: python3 make.py FONT.ttf        (needs reportlab for the two PDFs; FONT has Vietnamese letters)

The documents are invented, in the form of NĐ 30/2020/NĐ-CP: no such ward, no such people. Their results are
committed, so this runs only when a document changes. The same input gives the same bytes.
"""
import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
AGENCY = "Ủy ban nhân dân phường Sông Mơ"
STATE = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "_______________"]
SIGNED = ["TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "", "Lê Thị Minh Hà"]

DOCUMENTS = [
    dict(
        name="quyet-dinh-12.docx", number="12/QĐ-UBND", issued="2026-03-05", type="Quyết định", field="Chuyển đổi số",
        subject="Về việc thành lập Tổ công tác chuyển đổi số phường Sông Mơ", file="2026.CDS.01",
        keywords=["chuyển đổi số", "tổ công tác"],
        body=[
            "Căn cứ Luật Tổ chức chính quyền địa phương;",
            "Xét đề nghị của Văn phòng Ủy ban nhân dân phường,",
            "QUYẾT ĐỊNH:",
            "Điều 1. Thành lập Tổ công tác chuyển đổi số phường Sông Mơ gồm 07 thành viên, do bà Lê Thị Minh Hà, "
            "Chủ tịch Ủy ban nhân dân phường, làm Tổ trưởng.",
            "Điều 2. Tổ công tác giúp Ủy ban nhân dân phường đưa hồ sơ, tài liệu điện tử vào lưu trữ đúng thời hạn "
            "và hướng dẫn người dân nộp hồ sơ trực tuyến.",
            "Điều 3. Quyết định này có hiệu lực kể từ ngày ký.",
        ],
    ),
    dict(
        name="cong-van-45.txt", number="45/UBND-VP", issued="2026-03-18", type="Công văn", field="Văn thư, lưu trữ",
        subject="Về việc lập hồ sơ và nộp lưu tài liệu điện tử năm 2025", file="2026.VTLT.01",
        keywords=["lập hồ sơ", "nộp lưu"],
        body=[
            "Kính gửi: Các bộ phận chuyên môn thuộc Ủy ban nhân dân phường.",
            "Để tài liệu điện tử hình thành trong năm 2025 được lưu trữ đầy đủ, Ủy ban nhân dân phường đề nghị:",
            "1. Người được giao xử lý công việc lập hồ sơ, kiểm tra đủ văn bản đến, văn bản đi và tài liệu kèm theo.",
            "2. Nộp lưu hồ sơ vào lưu trữ hiện hành trước ngày 30 tháng 6 năm 2026 và nhận biên nhận điện tử.",
            "3. Không sửa nội dung tệp sau khi đã nộp lưu.",
            "Đề nghị các bộ phận thực hiện nghiêm túc.",
        ],
    ),
    dict(
        name="thong-bao-07.pdf", number="07/TB-UBND", issued="2026-04-02", type="Thông báo", field="Tiếp công dân",
        subject="Lịch tiếp công dân định kỳ quý II năm 2026", file="2026.TCD.01", keywords=["tiếp công dân"],
        body=[
            "Ủy ban nhân dân phường Sông Mơ thông báo lịch tiếp công dân định kỳ quý II năm 2026 như sau:",
            "1. Thời gian: từ 08 giờ 00 đến 11 giờ 30, thứ Năm hằng tuần.",
            "2. Địa điểm: Phòng Tiếp công dân, số 01 đường Bến Cũ, phường Sông Mơ.",
            "3. Người tiếp: Chủ tịch Ủy ban nhân dân phường; khi vắng, ủy quyền cho Phó Chủ tịch.",
            "Công dân mang theo giấy tờ tùy thân và đơn khiếu nại, tố cáo, kiến nghị, phản ánh (nếu có).",
        ],
    ),
    dict(
        name="ke-hoach-03.docx", number="03/KH-UBND", issued="2026-02-10", type="Kế hoạch", field="Văn thư, lưu trữ",
        subject="Số hóa tài liệu lưu trữ giấy giai đoạn 2026 - 2028", file="2026.VTLT.02",
        keywords=["số hóa", "tài liệu lưu trữ"],
        body=[
            "I. MỤC ĐÍCH, YÊU CẦU",
            "Bảo vệ tài liệu gốc, giảm thời gian tra cứu hồ sơ đất đai và hộ tịch cho người dân.",
            "II. NỘI DUNG",
            "1. Năm 2026: số hóa 1.200 hồ sơ cấp giấy chứng nhận quyền sử dụng đất.",
            "2. Năm 2027: số hóa sổ hộ tịch từ năm 1986 đến năm 2005.",
            "3. Năm 2028: kiểm tra tính toàn vẹn, bổ sung tài liệu còn thiếu.",
            "III. KINH PHÍ: từ ngân sách phường được giao hằng năm.",
        ],
    ),
    dict(
        name="bao-cao-21.pdf", number="21/BC-UBND", issued="2026-05-20", type="Báo cáo", field="Cải cách hành chính",
        subject="Kết quả giải quyết thủ tục hành chính 5 tháng đầu năm 2026", file="2026.CCHC.01",
        keywords=["thủ tục hành chính", "một cửa"],
        body=[
            "1. Tổng số hồ sơ tiếp nhận: 3.418 hồ sơ, trong đó trực tuyến 2.905 hồ sơ.",
            "2. Giải quyết trước hạn và đúng hạn: 3.377 hồ sơ; quá hạn: 12 hồ sơ; đang giải quyết: 29 hồ sơ.",
            "3. Nguyên nhân quá hạn: chờ kết quả đo đạc thửa đất của đơn vị phối hợp.",
            "4. Kiến nghị: sớm kết nối cơ sở dữ liệu đất đai với cổng dịch vụ công.",
        ],
    ),
    dict(
        name="to-trinh-09.txt", number="09/TTr-VP", issued="2026-05-28", type="Tờ trình", field="Văn thư, lưu trữ",
        subject="Về việc mua giá để tài liệu cho kho lưu trữ phường", file="2026.VTLT.03",
        keywords=["kho lưu trữ", "mua sắm"],
        body=[
            "Kính gửi: Chủ tịch Ủy ban nhân dân phường Sông Mơ.",
            "Kho lưu trữ hiện có 46 mét giá, đã dùng hết 44 mét; dự kiến quý III tiếp nhận thêm 18 mét tài liệu.",
            "Văn phòng kính trình Chủ tịch phê duyệt mua 06 giá kim loại, tổng kinh phí 27.600.000 đồng.",
            "Kính trình Chủ tịch xem xét, quyết định.",
        ],
    ),
]


def lines(document):
    """The whole document, line by line."""
    day = document["issued"].split("-")
    head = STATE + ["", AGENCY.upper(), f"Số: {document['number']}"]
    place = f"Sông Mơ, ngày {day[2]} tháng {day[1]} năm {day[0]}"
    title = [] if document["type"] == "Công văn" else [document["type"].upper()]
    received = ["", "Nơi nhận:", "- Như trên;", "- Lưu: VT, VP."]
    return head + [place, ""] + title + [document["subject"], ""] + document["body"] + received + [""] + SIGNED


def write_docx(path, text):
    namespace = "http://schemas.openxmlformats.org/"
    types = (
        f'<Types xmlns="{namespace}package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        f'<Relationships xmlns="{namespace}package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{namespace}officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        "</Relationships>"
    )
    run = '<w:p><w:r><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman"/><w:sz w:val="28"/></w:rPr>'
    paragraphs = "".join(f'{run}<w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in text)
    document = f'<w:document xmlns:w="{namespace}wordprocessingml/2006/main"><w:body>{paragraphs}</w:body></w:document>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, xml in [
            ("[Content_Types].xml", types), ("_rels/.rels", relations), ("word/document.xml", document),
        ]:
            part = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            parts.writestr(part, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + xml)


def write_pdf(path, text, font):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont("text", font))
    page = Canvas(str(path), pagesize=(595, 842), invariant=1)
    page.setFont("text", 11)
    at = 780
    for line in text:
        part = ""
        for word in line.split(" ") + [None]:
            longer = f"{part} {word}".strip()
            if word is None or pdfmetrics.stringWidth(longer, "text", 11) > 455:
                page.drawString(70, at, part)
                part, at = word, at - 17
            else:
                part = longer
    page.save()


def main(font):
    rows = []
    for document in DOCUMENTS:
        path, text = HERE / document["name"], lines(document)
        if path.suffix == ".docx":
            write_docx(path, text)
        elif path.suffix == ".pdf":
            write_pdf(path, text, font)
        else:
            path.write_text("\n".join(text) + "\n", encoding="utf-8")
        row = {"external_id": f"mau-{document['number'].replace('/', '-')}"}
        row |= {key: document[key] for key in ["subject", "number", "issued", "type", "field", "file", "keywords"]}
        row |= {"agency": AGENCY, "language": ["vi"], "pages": 1, "access": "public", "fonds": "UBND-SM"}
        rows.append(row | {"components": [document["name"]]})
    manifest = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (HERE / "manifest.jsonl").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
