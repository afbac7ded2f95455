#!/usr/bin/env python3
"""Writes the sample archive of this folder: the documents of texts/, their manifest and the yearly lists of files.

usage: python3 make.py [FOLDER]        (default: beside this program)

Needs python3-reportlab and the fonts "Liberation Serif" (Debian: fonts-liberation, before 13 fonts-liberation2).
The documents are invented, in the form of NĐ 30/2020/NĐ-CP: no such province, no such people. Their results are
committed, so this runs only when a document changes. The same input and tools give the same bytes.
"""
import csv
import io
import json
import random
import re
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).parent
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 595, 842, 85, 552, 785, 62
FONTS = {"text": "Regular", "bold": "Bold", "italic": "Italic"}
ABBREVIATIONS = {"Quyết định": "QD", "Chỉ thị": "CT", "Kế hoạch": "KH", "Báo cáo": "BC", "Tờ trình": "TTr", "Biên bản": "BB",
                 "Thông báo": "TB", "Công văn": "CV", "Giấy mời": "GM"}
BOX = dict(file="2019.GTNT.14", field="Xây dựng, giao thông nông thôn", keywords="hộp số 14; đường giao thông nông thôn",
           condition="Bình thường", note="Số hóa từ tài liệu giấy, hộp số 14, tháng 7 năm 2024.")


def font_file(style):
    for folder in ["liberation", "liberation2"]:
        path = Path(f"/usr/share/fonts/truetype/{folder}/LiberationSerif-{style}.ttf")
        # Liberation before 2.0 has no letters for Vietnamese.
        if path.exists() and ord("ệ") in TTFont("probe", str(path)).face.charToGlyph:
            return str(path)
    sys.exit("no Liberation Serif with Vietnamese letters; install fonts-liberation (Debian 12: fonts-liberation2)")


def read_documents(agencies):
    bases = dict(line.split("\t") for line in (HERE / "texts/bases.tsv").read_text("utf-8").splitlines())
    for path in sorted((HERE / "texts").glob("*.txt")):
        for part in path.read_text("utf-8").split("=== ")[1:]:
            head, *lines = part.splitlines()
            number, issued, kind = re.fullmatch(r"(\S+) (\S+) (.+)", head).groups()
            kind, form = kind.rsplit(" ", 1)
            document = dict(number=number, issued=issued, kind=kind, form=form, fonds=path.stem, agency=path.stem)
            while re.match(r"[a-z]+:", lines[0]):
                key, value = lines.pop(0).split(":", 1)
                document[key] = value.strip()
            if "box" in document:
                document = BOX | document
            document["body"] = [bases[line[1:]] if line.startswith("@") else line for line in lines]
            code, rest = number.split("/", 1)
            mark = ABBREVIATIONS[kind]
            document["name"] = f"{path.stem}/{issued[:4]}-{int(code):04}-{mark}.{'docx' if form == 'docx' else 'pdf'}"
            document["head"] = agencies[document["agency"]]
            yield document


def day_in_words(issued):
    """Days below 10 and the months 1 and 2 have a zero before them (NĐ 30/2020, Annex I)."""
    year, month, day = issued.split("-")
    return f"ngày {day} tháng {month if month in ['01', '02'] else int(month)} năm {year}"


def signature(document):
    given = document.get("sign")
    if given is None:
        given = [s["as"] for s in document["head"]["signers"] if s["from"] <= document["issued"]][-1]
    elif given.startswith("KT."):
        given = (document["head"]["signers"][-1]["as"].split("|")[0] + "|" + given).lstrip("|")
    return [line for line in given.split("|") if line]


def recipients(document):
    first = "- Như trên;" if "to" in document else "- Các cơ quan, đơn vị liên quan;"
    if document["kind"] == "Quyết định":
        decided = "\n".join(document["body"]).split("\n# ")[0]
        first = f"- Như Điều {re.findall(r'^Điều ([0-9]+)', decided, re.MULTILINE)[-1]};"
    return ["Nơi nhận:", first, f"- Lưu: {document['head']['archive']}."]


def justified(document):
    """The paragraphs between heading and signature: (style, alignment, text)."""
    if "to" in document:
        yield "text", "left", f"Kính gửi: {document['to']}"
    for line in document["body"]:
        if line == "QUYẾT ĐỊNH:":
            yield "bold", "centre", line
        elif line.startswith("# "):
            yield "bold", "centre", line[2:]
        elif line.startswith(("Căn cứ ", "Theo đề nghị ")) and line.endswith((";", ".")) and document["kind"] == "Quyết định":
            # What follows the authority's name is a comma in older practice and a full stop in NĐ 30/2020.
            yield "italic", "left", line
        elif re.match(r"[IVX]+\. ", line) and line.upper() == line:
            yield "bold", "left", line
        else:
            yield "text", "left", line


def heading(document):
    """Left and right column of the first lines, then what stands in the middle."""
    agency = document["head"]
    left = [("text" if agency["level"] == "province" and agency["code"] == "SNV-LH" and n == 0 else "bold", line)
            for n, line in enumerate(agency["head"])]
    right = [("bold", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), ("bold", "Độc lập - Tự do - Hạnh phúc")]
    number = ("text", f"Số: {document['number']}")
    place = ("italic", f"{agency['place']}, {day_in_words(document['issued'])}")
    if document["kind"] in ["Công văn"]:
        return left, right, number, place, [], [("text", document["subject"].replace("Về việc", "V/v", 1))]
    return left, right, number, place, [("bold", document["kind"].upper()), ("bold", document["subject"])], []


class Pages:
    """Text placed on pages: what a PDF and a scan are painted from."""

    def __init__(self):
        self.pages, self.rules, self.at = [[]], [[]], TOP

    def width(self, style, size, text):
        return pdfmetrics.stringWidth(text, style, size)

    def wrap(self, style, size, text, room, first=0):
        line, lines = "", []
        for word in text.split():
            longer = f"{line} {word}".strip()
            if self.width(style, size, longer) > room - (first if not lines else 0) and line:
                lines.append(line)
                line = word
            else:
                line = longer
        return lines + [line]

    def down(self, by):
        self.at -= by
        if self.at < BOTTOM:
            self.pages.append([])
            self.rules.append([])
            self.at = TOP

    def put(self, style, size, x, text):
        self.pages[-1].append((style, size, x, self.at, text))

    def centre(self, style, size, text, middle, room, leading):
        for line in self.wrap(style, size, text, room):
            self.put(style, size, middle - self.width(style, size, line) / 2, line)
            self.down(leading)

    def rule(self, middle, length):
        self.rules[-1].append((middle - length / 2, self.at + 9, middle + length / 2))


def lay_out(document):
    page = Pages()
    left, right, number, place, title, about = heading(document)
    for (style, text), (other, motto) in zip(left, right):
        page.at, before = page.at, page.at
        page.centre(style, 11.5, text, 165, 190, 0)
        page.centre(other, 11.5, motto, 420, 270, 0)
        page.at = before - 15
    page.rule(165, 60)
    page.rule(420, 150)
    page.at -= 8
    page.centre(number[0], 12, number[1], 165, 190, 0)
    page.centre(place[0], 12, place[1], 420, 270, 16)
    for style, text in about:
        page.centre(style, 11, text, 165, 190, 13)
    page.down(14)
    for style, text in title:
        page.centre(style, 13.5, text, 318, 400, 17)
    page.down(8 if title else 2)
    for style, align, text in justified(document):
        if align == "centre":
            page.down(4)
            page.centre(style, 13, text, 318, 440, 17)
        else:
            for n, line in enumerate(page.wrap(style, 13, text, RIGHT - LEFT, 26)):
                page.put(style, 13, LEFT + (26 if n == 0 else 0), line)
                page.down(17)
        page.down(4)
    page.down(10)
    if page.at < BOTTOM + 120:
        page.down(page.at)
    top = page.at
    for n, text in enumerate(recipients(document)):
        page.put("bold" if n == 0 else "text", 12 if n == 0 else 11, LEFT, text)
        page.at -= 14
    page.at = top
    *titles, name = signature(document)
    for text in titles:
        page.centre("bold", 13, text, 430, 230, 16)
    page.at -= 58
    page.centre("bold", 13, name, 430, 230, 0)
    return page


def pdf_bytes(document, page):
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=1)
    canvas.setTitle(f"{document['kind']} {document['number']}")
    for number, (texts, rules) in enumerate(zip(page.pages, page.rules), 1):
        for style, size, x, y, text in texts:
            canvas.setFont(style, size)
            canvas.drawString(x, y, text)
        for start, y, end in rules:
            canvas.line(start, y, end, y)
        if number > 1:
            canvas.setFont("text", 12)
            canvas.drawCentredString(WIDTH / 2, HEIGHT - 40, str(number))
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scanned(document, texts, rules, chance):
    """One page as a scanner at 150 dots an inch gives it: askew, grey, noisy, with a red stamp gone grey."""
    scale = 150 / 72
    image = Image.new("L", (1240, 1754), 246)
    draw = ImageDraw.Draw(image)
    for style, size, x, y, text in texts:
        font = ImageFont.truetype(font_file(FONTS[style]), round(size * scale))
        draw.text((x * scale, (HEIGHT - y) * scale), text, font=font, fill=38, anchor="ls")
    for start, y, end in rules:
        draw.line([(start * scale, (HEIGHT - y) * scale), (end * scale, (HEIGHT - y) * scale)], fill=60, width=2)
    if texts[-1][4] == signature(document)[-1]:
        x, y = (texts[-1][2] - 26) * scale, (HEIGHT - texts[-1][3] - 42) * scale
        for inset in [0, 8]:
            draw.ellipse([x - 75 + inset, y - 75 + inset, x + 75 - inset, y + 75 - inset], outline=150, width=3)
    image = image.rotate(chance.uniform(-0.7, 0.7), resample=Image.Resampling.BICUBIC, fillcolor=246)
    noise = Image.frombytes("L", (620, 877), chance.randbytes(620 * 877)).resize(image.size)
    image = Image.blend(image, noise, 0.035).filter(ImageFilter.GaussianBlur(0.6))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=32, optimize=True)
    return out.getvalue()


def scan_bytes(document, page):
    """A PDF with one picture a page and no text: what a scanner sends."""
    chance = random.Random(document["name"])
    pictures = [scanned(document, *part, chance) for part in zip(page.pages, page.rules)]
    kids = " ".join(f"{3 + 3 * n} 0 R" for n in range(len(pictures)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {len(pictures)}>>".encode()]
    for n, picture in enumerate(pictures):
        first = 3 + 3 * n
        draw = f"{WIDTH} 0 0 {HEIGHT} 0 0 cm /Page Do".encode()
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]/Resources<</XObject<</Page {first + 1} 0 R>>>>"
            f"/Contents {first + 2} 0 R>>".encode()
        )
        head = "<</Type/XObject/Subtype/Image/Width 1240/Height 1754/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
        objects.append(f"{head}/Length {len(picture)}>>stream\n".encode() + picture + b"\nendstream")
        objects.append(f"<</Length {len(draw)}>>stream\n".encode() + draw + b"\nendstream")
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for n, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{n} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def paragraph(style, align, text, size=26):
    weight = {"bold": "<w:b/>", "italic": "<w:i/>"}.get(style, "")
    place = f'<w:pPr><w:spacing w:after="80"/><w:jc w:val="{align}"/></w:pPr>'
    fonts = '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman"/>'
    run = f'<w:r><w:rPr>{fonts}{weight}<w:sz w:val="{size}"/></w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    return f"<w:p>{place}{run}</w:p>"


def columns(left, right):
    """Two columns without lines, as Word has the first lines and the signature of an official document."""
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{"".join(cell)}</w:tc>'
        for width, cell in [(3900, left), (5500, right)]
    )
    return f'<w:tbl><w:tblPr><w:tblW w:w="9400" w:type="dxa"/></w:tblPr><w:tr>{cells}</w:tr></w:tbl>'


def docx_bytes(document):
    left, right, number, place, title, about = heading(document)
    centre = lambda pairs, size=24: [paragraph(style, "center", text, size) for style, text in pairs]
    parts = [columns(centre(left + [number] + about), centre(right + [place]))]
    parts += centre(title, 28)
    parts += [paragraph(s, {"left": "both", "centre": "center"}[a], t) for s, a, t in justified(document)]
    received = [paragraph("text", "left", line, 22) for line in recipients(document)]
    parts.append(columns(received, centre([("bold", line) for line in signature(document)], 26)))
    base = "http://schemas.openxmlformats.org/"
    body = "".join(parts) + '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="851" w:bottom="1134" w:left="1701"/></w:sectPr>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{base}package/2006/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{base}package/2006/relationships"><Relationship Id="rId1" Type='
        f'"{base}officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{base}wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, xml in files.items():
            part = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(part, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + xml)
    return out.getvalue()


def row(document, agencies, fonds, retentions, pages, ordinal):
    """The row of the manifest; what a document does not have is left out."""
    custodian = fonds[document["fonds"]]["custodian"]
    values = {
        "external_id": f"{document['fonds'].removeprefix('UBND-')}-{Path(document['name']).stem}"[:25],
        "subject": document["subject"], "number": document["number"], "issued": document["issued"],
        "agency": document["head"]["name"], "type": document["kind"], "field": document.get("field"),
        "drafting_agency": agencies[document["draft"]]["name"] if "draft" in document else None, "custodian": custodian,
        "language": ["vi"], "pages": pages, "access": document.get("access", "public"), "fonds": document["fonds"],
        # The whole code (TT 05/2025): the lists of a fonds have it without what stands before the year.
        "file": f"{document['fonds']}.{document['file']}", "file_ordinal": ordinal, "keywords": document["keywords"].split("; "),
        "origin": "Số hóa" if document["form"] == "scan" else "Gốc điện tử", "physical_condition": document.get("condition"),
        # Five years has no code in the circular's list; the yearly list of files has the words.
        "retention_code": document.get("retention", retentions[document["fonds"], document["file"]]) or None,
        "note": document.get("note"), "validity": document.get("validity"),
        "components": [document["name"]] + ([document["attach"]] if "attach" in document else []),
    }
    return {key: value for key, value in values.items() if value is not None}


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_lists(target, files):
    """The list of files (danh mục hồ sơ) of every fonds and year, NĐ 30/2020 Annex V."""
    for fonds, year in sorted({(f["fonds"], f["code"][:4]) for f in files}):
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["Số và ký hiệu hồ sơ", "Tiêu đề hồ sơ", "Thời hạn lưu trữ", "Người lập hồ sơ", "Ghi chú"])
        for f in files:
            if (f["fonds"], f["code"][:4]) == (fonds, year):
                table.writerow([f["code"], f["title"], f["retention"], f["person"], f["class"]])
        write(target / f"lists/{fonds}-{year}.csv", text.getvalue().encode("utf-8"))


def main(target):
    for name, style in FONTS.items():
        pdfmetrics.registerFont(TTFont(name, font_file(style)))
    data = json.loads((HERE / "letterheads.json").read_text("utf-8"))
    heads = {head["code"]: head for head in data["letterheads"]}
    register = json.loads((HERE / "agencies.json").read_text("utf-8"))
    agencies = {agency["code"]: agency | heads.get(agency["code"], {}) for agency in register["agencies"]}
    fonds = {one["code"]: one for one in data["fonds"]}
    files = list(csv.DictReader((HERE / "files.tsv").open(encoding="utf-8"), delimiter="\t"))
    retentions = {(f["fonds"], f["code"]): f["retention"] for f in files}
    write_lists(target, files)
    rows, ordinals = [], {}
    for document in read_documents(agencies):
        place = document["fonds"], document["file"]
        ordinals[place] = ordinals.get(place, 0) + 1
        page = lay_out(document)
        made = {"docx": lambda: docx_bytes(document), "scan": lambda: scan_bytes(document, page), "pdf": lambda: pdf_bytes(document, page)}
        write(target / document["name"], made[document["form"]]())
        rows.append(row(document, agencies, fonds, retentions, len(page.pages), ordinals[place]))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write(target / "manifest.jsonl", text.encode("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else HERE)
