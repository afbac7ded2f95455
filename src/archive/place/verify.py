#!/usr/bin/env python3
"""Kiểm tra một tệp theo biên nhận (không cần kho), hoặc toàn bộ một kho; không cần mạng.
Checks one file of an archive by its receipt, without the archive; or a whole archive. No network.

  verify.py receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE]
                    [--timestamp TOKEN.tsr --authorities ROOTS.pem]
  verify.py archive|ledger FOLDER [--keys KEYFILE] [--known FILE]... [--witnesses POLICYFILE] [--authorities ROOTS.pem]
                    [--place NUMBER]

KEYFILE is the archive's keys/archive.keys. Get it from elsewhere than the receipt or the archive: whoever
hands over both could have made both. What is checked, and what the files look like: FORMAT.md.

FOLDER is the archive, the folder of place.json. Every file in it is read but staging/; with `ledger`, what
lies under log/ alone. --known names a receipt or a checkpoint that was kept: the ledger must go on from it.
--place is the number of the place, where the archive lies in several.

Exit code: 0 holds, 1 evidence of tampering, 2 incomplete, 3 usage, or the answer could not be given.
Python 3.9 or later, standard library only; Ed25519 (RFC 8032) is below. Only for timestamps (RFC 3161) openssl 3 is asked.
"""

import os
import sys


def give_up(_kind, fault, _trace):
    """Whatever it was, it is no evidence: Python itself would end with 1, which says tampering."""
    try:
        sys.stderr.write(f"verify.py: KHÔNG KIỂM TRA ĐƯỢC / CANNOT BE CHECKED: {fault!r}\n")
        sys.stderr.flush()
    finally:
        os._exit(3)


sys.excepthook = give_up

import base64  # noqa: E402
import bisect  # noqa: E402
import calendar  # noqa: E402
import contextlib  # noqa: E402
import datetime  # noqa: E402
import functools  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import stat  # noqa: E402
import struct  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

RECEIPT_BYTES_MAX = 256 * 1024
NOTE_BYTES_MAX = RECEIPT_BYTES_MAX
SIGNATURES_MAX = 100
PATH_MAX = 63
ENTRY_BYTES_MAX = 4096
POLICY_BYTES_MAX = 64 * 1024
POLICY_NAMES_MAX = 256
TOKEN_BYTES_MAX = 64 * 1024
PEM_BYTES_MAX = 32 * 1024 * 1024
DESCRIPTION_BYTES_MAX = 64 * 1024 * 1024
DESCRIPTION_DEPTH_MAX = 32


class Verdict(Exception):
    """Ends the matter: exit code, and what to say in Vietnamese and in English."""

    def __init__(self, code, vietnamese, english, reason=""):
        super().__init__(english)
        self.code, self.vietnamese, self.english, self.reason = code, vietnamese, english, reason


def tampered(vietnamese, english):
    return Verdict(
        1,
        f"KHÔNG ĐÚNG: {vietnamese}. Không sử dụng tệp; giữ nguyên hiện trạng và hỏi kho lưu trữ.",
        f"DOES NOT HOLD: {english}. Do not rely on the file; keep everything as it is and ask the archive.",
        english,
    )


def incomplete(vietnamese, english):
    return Verdict(2, f"CHƯA ĐỦ: {vietnamese}.", f"INCOMPLETE: {english}.")


def usage(vietnamese, english):
    return Verdict(3, f"KHÔNG KIỂM TRA ĐƯỢC: {vietnamese}.", f"CANNOT BE CHECKED: {english}.")


# --- Ed25519 verification, RFC 8032 section 5.1 ----------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def recover_x(y, sign):
    """The x of a point, or None where there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def decompress(encoded):
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = recover_x(y % P, sign)
    return None if x is None else (x % P, y % P, 1, x * y % P)


def compress(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(p, q):
    """Extended homogeneous coordinates, section 5.1.4."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def is_weak(point):
    """Of small order: as a key it would check almost any signature."""
    for _ in range(3):
        point = add(point, point)
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def public_key(encoded):
    """The point that checks signatures, or None."""
    point = decompress(encoded)
    return None if point is None or is_weak(point) else point


@functools.lru_cache(maxsize=64)
def multiples(encoded):
    """0 to 15 times the point of a key, for each of the 64 hexadecimal digits of a scalar. An archive has few keys and
    many signatures: with these a signature costs 128 additions."""
    point, rows = public_key(encoded), []
    if point is None:
        return None
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(add(row[-1], point))
        rows.append(row)
        point = add(row[-1], point)
    return rows


def multiply(scalar, rows):
    result = NEUTRAL
    for row in rows:
        result, scalar = add(result, row[scalar & 15]), scalar >> 4
    return result


BASE = (4 * pow(5, -1, P) % P).to_bytes(32, "little")


def signed_by(key, signature, message):
    """Did the owner of this public key (32 bytes) sign these bytes?"""
    if len(signature) != 64:
        return False
    rows, s = multiples(key), int.from_bytes(signature[32:], "little")
    if rows is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x, y, z, t = multiply(h, rows)
    r = add(multiply(s, multiples(BASE)), (P - x, y, z, P - t))
    return compress(r) == signature[:32] and not is_weak(r)


# --- forms -----------------------------------------------------------------------------------------------

HEX64 = "[0-9a-f]{64}"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
# White space (as Unicode has it), plus sign, control characters.
NOT_IN_NAMES = re.compile("[\x00- +\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


def number(text):
    """Decimal digits without leading zeros, at most 18; else None."""
    return int(text) if re.fullmatch("0|[1-9][0-9]{0,17}", text) else None


def unbase64(text):
    """The bytes of base64 that encode to the same text again; else None."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return None
    return decoded if base64.b64encode(decoded).decode("ascii") == text else None


def unhash(text):
    decoded = unbase64(text)
    return decoded if decoded is not None and len(decoded) == 32 else None


def is_name(text):
    return text != "" and not NOT_IN_NAMES.search(text)


def utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


# --- the key file ----------------------------------------------------------------------------------------


def vkey(text, kind):
    """(name, id, public key) of a vkey of this type, or None."""
    form = re.fullmatch("([^ +]+)[+]([0-9a-f]{8})[+]([A-Za-z0-9+/]{44})", text)
    if not form:
        return None
    name, key_id, key = form[1], bytes.fromhex(form[2]), unbase64(form[3])
    if not is_name(name) or key is None or key[:1] != kind or len(key) != 33:
        return None
    if hashlib.sha256(name.encode() + b"\n" + key).digest()[:4] != key_id:
        return None
    if public_key(key[1:]) is None:
        return None
    return name, key_id, key[1:]


def key_line(line):
    """(name, id, public key, from, to) of `vkey from-size to-size`, or None."""
    form = re.fullmatch("([^ ]+) ([0-9]+) ([0-9]+|-)", line)
    if not form:
        return None
    key, first, last = vkey(form[1], b"\x01"), number(form[2]), None if form[3] == "-" else number(form[3])
    if key is None or first is None or (form[3] != "-" and (last is None or last < first)):
        return None
    return *key, first, last


def read_keys(data):
    text = utf8(data)
    formed = text is not None and len(data) <= NOTE_BYTES_MAX and not CONTROL.search(text)
    lines = text.split("\n") if formed else []
    keys = [key_line(line) for line in lines if line and not line.startswith("#")]
    if not keys or None in keys or len({key[0] for key in keys}) != 1:
        raise usage(
            "không đọc được tệp khóa. Đề nghị kho lưu trữ cấp lại keys/archive.keys",
            "the key file cannot be read. Ask the archive for keys/archive.keys again",
        )
    return keys


# --- the policy: which witnesses must have cosigned (C2SP tlog-policy) ------------------------------------


class Policy:
    """Rules in order, each a witness (name, id, public key) or a group (count, members), and which of them counts."""

    def __init__(self):
        self.names, self.rules, self.taken, self.quorum = [], [], set(), None

    def add(self, name, rule):
        if name == "none" or name in self.names or len(self.names) == POLICY_NAMES_MAX:
            refuse("a name is defined twice, is none, or is one of more than 256")
        self.names.append(name)
        self.rules.append(rule)

    def witnesses(self):
        return [rule for rule in self.rules if len(rule) == 3]

    def group(self, name, count, members):
        rules = [self.names.index(member) for member in members]
        if len(set(rules)) != len(rules) or self.taken & set(rules):
            refuse("a name is a member twice")
        self.taken |= set(rules)
        if count not in ("any", "all") and not re.fullmatch("[1-9][0-9]{0,2}", count):
            refuse("a group asks for any, all, or a number")
        count = {"any": 1, "all": len(rules)}.get(count) or int(count)
        if not rules or count > len(rules):
            refuse("a group asks for more members than it has")
        self.add(name, (count, rules))

    def line(self, words):
        if words[0] == "witness" and len(words) in (3, 4):
            key = vkey(words[2], b"\x04")
            if key is None or any(witness[2] == key[2] for witness in self.witnesses()):
                refuse("no key of a witness, or one that is there already")
            self.add(words[1], key)
        elif words[0] == "group" and len(words) >= 3:
            self.group(words[1], words[2], words[3:])
        elif words[0] == "quorum" and len(words) == 2 and self.quorum is None:
            # -1: no witness is asked for.
            self.quorum = -1 if words[1] == "none" else self.names.index(words[1])
        else:
            refuse("no witness, group or quorum, or a second quorum")


def read_policy(data):
    try:
        text = utf8(data)
        if text is None or len(data) > POLICY_BYTES_MAX or re.search("[\x00-\x08\x0b-\x1f\x7f]", text):
            refuse("not a text, or longer than 64 KiB")
        policy = Policy()
        for line in text.split("\n"):
            words = [word for word in re.split("[ \t]", line) if word]
            if words and not words[0].startswith("#"):
                policy.line(words)
        if policy.quorum is None:
            refuse("no quorum")
        return policy
    except ValueError:
        raise usage(
            "không đọc được tệp quy định bên chứng kiến. Xem dạng tệp trong FORMAT.md",
            "the policy of witnesses cannot be read. Its form is told in FORMAT.md",
        ) from None


def cosigned(receipt, name, key_id, key):
    """Did this witness cosign the checkpoint (C2SP tlog-cosignature)? Every line that names it must hold."""
    found = False
    for signer, signer_id, payload in receipt.signatures:
        if (signer, signer_id) != (name, key_id):
            continue
        time = int.from_bytes(payload[:8], "big")
        message = b"cosignature/v1\ntime %d\n" % time + receipt.body
        if len(payload) != 72 or not 0 < time < 2**63 or not signed_by(key, payload[8:], message):
            raise tampered(
                "chữ ký của một bên chứng kiến không khớp với nội dung biên nhận",
                "the signature of a witness does not fit text and key",
            )
        found = True
    return found


def is_met(policy, receipt):
    met = []
    for rule in policy.rules:
        if len(rule) == 3:
            met.append(cosigned(receipt, *rule))
        else:
            met.append(sum(met[member] for member in rule[1]) >= rule[0])
    return policy.quorum < 0 or met[policy.quorum]


# --- the receipt -----------------------------------------------------------------------------------------


class Receipt:
    """entry, index, path; of the checkpoint: body, origin, size, root, signatures (name, id, bytes)."""


def read_receipt(data):
    if not data.startswith(b"c2sp.org/tlog-proof@v1\n"):
        raise usage(
            "tệp thứ nhất không phải là biên nhận. Thứ tự: biên nhận, tệp, tệp khóa",
            "the first file is no receipt. Give the receipt first, then the file, then the key file",
        )
    bad = tampered("biên nhận bị hỏng hoặc đã bị sửa", "the receipt is not in form")
    text = utf8(data)
    if text is None or len(data) > RECEIPT_BYTES_MAX or CONTROL.search(text):
        raise bad
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise bad
    receipt = Receipt()
    receipt.entry, receipt.index = unbase64(lines[1][6:]), number(lines[2][6:])
    receipt.path = [unhash(line) for line in lines[3:]]
    if receipt.entry is None or receipt.index is None or None in receipt.path or len(receipt.path) > PATH_MAX:
        raise bad
    read_note(receipt, note)
    return receipt


def signature_line(line):
    if not line.startswith("\u2014 "):
        return None
    name, _, encoded = line[2:].partition(" ")
    decoded = unbase64(encoded)
    if not is_name(name) or decoded is None or len(decoded) < 5:
        return None
    return name, decoded[:4], decoded[4:]


def read_note(receipt, note):
    bad = tampered("điểm kiểm tra trong biên nhận bị hỏng hoặc đã bị sửa", "the checkpoint is not in form")
    body, blank, signatures = note.rpartition("\n\n")
    body += "\n"
    lines = body.split("\n")
    if not blank or len(lines) != 4 or not signatures.endswith("\n"):
        raise bad
    receipt.body, receipt.origin = body.encode(), lines[0]
    receipt.size, receipt.root = number(lines[1]), unhash(lines[2])
    receipt.lines = signatures[:-1].split("\n")
    receipt.signatures = [signature_line(line) for line in receipt.lines]
    if not is_name(receipt.origin) or receipt.size is None or receipt.root is None:
        raise bad
    if None in receipt.signatures or len(receipt.signatures) > SIGNATURES_MAX:
        raise bad


def check_signatures(receipt, keys):
    """At least one key in use at this size signed, and no line that names such a key is wrong."""
    known = 0
    for name, key_id, key, first, last in keys:
        if name != receipt.origin or receipt.size < first or (last is not None and receipt.size > last):
            continue
        for signer, signer_id, signature in receipt.signatures:
            if (signer, signer_id) != (name, key_id):
                continue
            if not signed_by(key, signature, receipt.body):
                raise tampered(
                    "chữ ký không khớp với nội dung biên nhận", "the signature does not fit text and key"
                )
            known += 1
    if known == 0:
        raise tampered(
            "biên nhận không được ký bằng khóa đang dùng nào trong tệp khóa",
            "the receipt is signed by no key of the key file that is in use at its size",
        )


def included(receipt):
    """RFC 9162, section 2.1.3.2, over RFC 6962 hashes."""
    if receipt.index >= receipt.size:
        return False
    at, last = receipt.index, receipt.size - 1
    digest = hashlib.sha256(b"\x00" + receipt.entry).digest()
    for sibling in receipt.path:
        if last == 0:
            return False
        if at & 1 or at == last:
            digest = hashlib.sha256(b"\x01" + sibling + digest).digest()
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            digest = hashlib.sha256(b"\x01" + digest + sibling).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and digest == receipt.root


# --- timestamps (RFC 3161) -------------------------------------------------------------------------------

TOLERANCE_SECONDS = 30
STATED = r"^Time stamp: (\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? (\d{4}) GMT$"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def openssl(*arguments):
    """Runs openssl; (did it succeed, what it said)."""
    done = subprocess.run(
        ["openssl", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def read_authorities(data):
    if len(data) > PEM_BYTES_MAX or b"-----BEGIN CERTIFICATE-----" not in data:
        raise usage(
            "không đọc được tệp chứng thư của tổ chức cấp dấu thời gian (PEM)",
            "the certificates of timestamping authorities cannot be read: no PEM file of certificates",
        )


def stamp_of(token, note, roots, chain=None):
    """When an authority saw these bytes, as entries write moments; None where the token does not hold. Judged at the
    moment that it states, so that a certificate that has ended since was good then."""
    with tempfile.TemporaryDirectory() as folder:
        at = {name: os.path.join(folder, name) for name in ("token", "note", "roots", "chain")}
        for name, data in (("token", token), ("note", note), ("roots", roots), ("chain", chain or b"")):
            with open(at[name], "wb") as file:
                file.write(data)
        read_well, text = openssl("ts", "-reply", "-in", at["token"], "-text")
        stated = re.search(STATED, text, re.MULTILINE)
        if len(token) > TOKEN_BYTES_MAX or not read_well or not stated or stated[1] not in MONTHS:
            return None
        month, fraction = MONTHS.index(stated[1]) + 1, f"{stated[6] or '':0<6}"[:6]
        moment = f"{stated[7]}-{month:02}-{int(stated[2]):02}T{stated[3]}:{stated[4]}:{stated[5]}.{fraction}Z"
        judged = ["-CAfile", at["roots"], "-attime", str(seconds_of(moment))]
        if chain is not None:
            judged += ["-untrusted", at["chain"]]
        holds, _ = openssl("ts", "-verify", "-in", at["token"], "-data", at["note"], *judged)
    return moment if holds else None


def seconds_of(at):
    """Whole seconds since 1970."""
    return calendar.timegm((int(at[:4]), int(at[5:7]), int(at[8:10]), int(at[11:13]), int(at[14:16]), int(at[17:19])))


def micros_of(at):
    return seconds_of(at) * 1000000 + int(at[20:26])


def is_late(at, time):
    """Is an entry later than a timestamp over a tree that has it?"""
    return micros_of(at) > (seconds_of(time) + TOLERANCE_SECONDS) * 1000000


def is_backdated(at, time):
    """Is an entry earlier than a timestamp over a tree that did not have it yet?"""
    return micros_of(at) < micros_of(time) - TOLERANCE_SECONDS * 1000000


def check_timestamp(receipt, token, authorities):
    """When an authority saw the checkpoint's text with the archive's own lines."""
    own = [line for line in receipt.lines if line.startswith("\u2014 " + receipt.origin + " ")]
    note = receipt.body + b"\n" + "".join(line + "\n" for line in own).encode()
    try:
        moment = stamp_of(token, note, authorities)
    except OSError:
        raise incomplete(
            "máy này thiếu openssl để kiểm tra dấu thời gian", "this machine lacks openssl, which checks timestamps"
        ) from None
    if moment is None:
        raise tampered(
            "dấu thời gian không đúng hoặc không phải của điểm kiểm tra này", "the timestamp does not hold"
        )
    return moment


# --- entry, description, file ----------------------------------------------------------------------------

# What a member of an entry may be: a regular expression with one group, and what its text must be besides.


@functools.lru_cache(maxsize=64)
def is_moment(text):
    """A second of the years 1 to 9998 that the calendar has."""
    try:
        datetime.datetime(*map(int, re.split("[-T:.]", text[:-1])))
    except ValueError:
        return False
    return text < "9999"


def is_documents(text):
    read = parsed(text)
    digests = isinstance(read, dict) and all(isinstance(d, str) and re.fullmatch(HEX64, d) for d in read.values())
    return digests and canonical(read) == text


ID = f'"({UUID})"', None
DIGEST = f'"({HEX64})"', None
TIME = f'"({MOMENT})"', is_moment
COUNT = "(0|[1-9][0-9]{0,9})", lambda digits: int(digits) < 2**32
WHOLE = "(0|[1-9][0-9]{0,15})", lambda digits: int(digits) < 2**53
PATHS = "(\\{[ -~]*\\})", is_documents
CODE = '"([a-z0-9-]{1,32})"', None
DAMAGE = '"(altered|missing|unreadable)"', None
BROUGHT = '"(auditor|archive)"', None

# Where an event may stand: as the first entry; anywhere else; once for a unit; for a unit that is there; for a unit
# whose description is the one that it replaces, and so for a hold that ends by it; as the order by which a record is
# destroyed or expelled; as the end of such an order.
FIRST, LATER, NEW, KNOWN, REPLACES, RELEASES, DESTROYS, EXPELS, DESTROYED, EXPELLED = range(10)

# The kinds of units, which are what has descriptions: the name of its member, its folder, in Vietnamese. Of two kinds
# in an entry the unit is the first: what a hold is placed on, the record that is destroyed under a case.
KINDS = {
    "record": ("records", "tài liệu"),
    "fonds": ("fonds", "phông lưu trữ"),
    "file": ("files", "hồ sơ"),
    "schedule": ("schedules", "bảng thời hạn lưu trữ"),
    "hold": ("holds", "lệnh tạm dừng hủy"),
    "case": ("cases", "hồ sơ xét hủy"),
    "plan": ("plans", "danh mục hồ sơ"),
    "backlog": ("backlogs", "dự án chỉnh lý"),
    "register": ("registers", "danh bạ cơ quan"),
}

# Every event: its name, where it may stand, and its members besides at, by, event, request and v.
EVENTS = [
    ("accessioned", NEW, dict(description=DIGEST, record=ID)),
    ("moved", REPLACES, dict(description=DIGEST, record=ID, replaces=DIGEST)),
    ("characterized", REPLACES, dict(description=DIGEST, record=ID, replaces=DIGEST)),
    ("founded", FIRST, dict(documents=PATHS)),
    ("refreshed", LATER, dict(documents=PATHS)),
    ("promoted", LATER, dict(epoch=COUNT, replica=COUNT)),
    (
        "fixity_checked",
        LATER,
        dict(bytes=WHOLE, components=WHOLE, faults=WHOLE, place=COUNT, records=WHOLE, since=TIME, to=WHOLE),
    ),
    ("key_rotated", LATER, {"key": DIGEST}),
    (
        "timestamped",
        LATER,
        dict(authority=CODE, chain=DIGEST, checkpoint=DIGEST, size=WHOLE, time=TIME, token=DIGEST, until=TIME),
    ),
    (
        "audit_pledged",
        LATER,
        dict(confidence_ppm=COUNT, nonce=DIGEST, nonce_by=BROUGHT, root=DIGEST, share_ppm=COUNT, size=WHOLE),
    ),
    ("audited", KNOWN, dict(entries=WHOLE, faults=WHOLE, lost=WHOLE, pledge=WHOLE, record=ID, repaired=WHOLE)),
    ("destruction_ordered", DESTROYS, dict(case=ID, record=ID, stub=DIGEST)),
    ("destruction_ordered", DESTROYS, dict(asked_by=ID, record=ID, stub=DIGEST)),
    ("destroyed", DESTROYED, dict(certificate=DIGEST, record=ID)),
    ("expulsion_ordered", EXPELS, dict(confirmed_by=ID, record=ID, stub=DIGEST)),
    ("expelled", EXPELLED, dict(certificate=DIGEST, record=ID)),
]
# Events of units of several kinds: their name, of which kinds, where they may stand, their members besides the unit.
EVENTS_OF_UNITS = [
    ("described", KINDS, REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("opened", [kind for kind in KINDS if kind != "record"], NEW, dict(description=DIGEST)),
    ("closed", ["fonds", "file"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("reopened", ["fonds", "file"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("approved", ["schedule", "plan", "backlog"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("hold_placed", ["record", "file", "fonds"], KNOWN, dict(asked_by=ID, hold=ID)),
    ("hold_released", ["hold"], RELEASES, dict(description=DIGEST, replaces=DIGEST)),
    ("reviewed", ["case"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("proposed", ["case"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("decided", ["case"], REPLACES, dict(description=DIGEST, replaces=DIGEST)),
    ("damaged", KINDS, KNOWN, dict(component=COUNT, fault=DAMAGE, named_by=DIGEST, place=COUNT)),
    ("repaired", KINDS, KNOWN, dict(component=COUNT, named_by=DIGEST, place=COUNT, source=COUNT)),
    ("lost", KINDS, KNOWN, dict(component=COUNT, named_by=DIGEST)),
]
EVENTS += [
    (event, rule, {kind: ID, **members}) for event, kinds, rule, members in EVENTS_OF_UNITS for kind in kinds
]
# The schema of what is kept of a record that ends by an event, or has ended.
STUB, CERTIFICATE = "stub.v1", "certificate.v1"
KEPT = {
    "destruction_ordered": STUB,
    "expulsion_ordered": STUB,
    "destroyed": CERTIFICATE,
    "expelled": CERTIFICATE,
}


def form(event, rule, members):
    """RFC 8785 sorts the members, so that an event has one form only."""
    members = dict(members, at=TIME, by=ID, event=(f'"({event})"', None), request=DIGEST, v=("(1)", None))
    names = sorted(members)
    text = ",".join(f'"{name}":{members[name][0]}' for name in names)
    checks = [(n, members[name][1]) for n, name in enumerate(names) if members[name][1]]
    return re.compile("\\{" + text + "\\}"), names, checks, rule


FORMS = {}
for row in EVENTS:
    FORMS.setdefault(row[0], []).append(form(*row))


def entry_of(data):
    """The members of an entry as texts, and where it may stand; (None, None) where the bytes are no entry."""
    if len(data) <= ENTRY_BYTES_MAX and data.isascii():
        text = data.decode("ascii")
        for event in re.findall('"event":"([a-z_]+)"', text):
            for pattern, names, checks, rule in FORMS.get(event, ()):
                found = pattern.fullmatch(text)
                if found and all(check(found[n + 1]) for n, check in checks):
                    return dict(zip(names, found.groups())), rule
    return None, None


def read_entry(data):
    """(at, description, event, kind, unit) of an entry that names a description: the one in force after it, the one
    that says what was damaged, repaired or lost, or what is kept of a record that ended."""
    entry, _ = entry_of(data)
    if entry is None:
        raise tampered(
            "nội dung nằm trong sổ cái nhưng không phải là sự kiện đúng dạng",
            "the ledger holds these bytes, but they are no entry",
        )
    named = entry.get("named_by", named_in(entry))
    if not named:
        raise tampered(
            "sự kiện không phải là sự kiện của một tệp",
            "the entry is of no event that names a description: this receipt is not for a file",
        )
    return entry["at"], named, entry["event"], *unit_of(entry)


def named_in(entry):
    """The description that is in force after an entry, or the stub or the certificate that it names; else empty."""
    return next((entry[name] for name in ("description", "stub", "certificate") if name in entry), "")


def unit_of(entry):
    """The kind and the identifier of the unit that an entry is about; twice None where it is about none."""
    return next(((kind, entry[kind]) for kind in KINDS if kind in entry), (None, None))


def refuse(what):
    raise ValueError(what)


def canonical(value):
    """RFC 8785 for objects, arrays, strings, booleans, null and whole numbers; there are no others here."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def parsed(text):
    """What a JSON text says, None where it is none: fractions and the numbers of no standard are refused."""
    try:
        return json.loads(text, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def is_whole(value, limit=2**53):
    return type(value) is int and 0 <= value < limit


def is_digest(value):
    return isinstance(value, str) and re.fullmatch(HEX64, value) is not None


def is_plain(value, depth=0):
    """What every reader of JSON reads alike: names of a-z, 0-9 and _, whole numbers, and no deeper than 32."""
    if depth > DESCRIPTION_DEPTH_MAX or isinstance(value, int) and not (isinstance(value, bool) or is_whole(value)):
        return False
    if isinstance(value, dict):
        return all(re.fullmatch("[a-z0-9_]+", name) and is_plain(v, depth + 1) for name, v in value.items())
    return not isinstance(value, list) or all(is_plain(v, depth + 1) for v in value)


def is_component(value):
    return (
        isinstance(value, dict)
        and is_whole(value.get("ordinal"), 2**32)
        and is_digest(value.get("sha256"))
        and is_whole(value.get("size"))
    )


def plain_of(data):
    """What a document says, None where it is none in the one spelling."""
    text = utf8(data) if len(data) <= DESCRIPTION_BYTES_MAX else None
    read = None if text is None else parsed(text)
    try:
        plain = isinstance(read, dict) and is_plain(read) and canonical(read).encode("utf-8") == data
    except ValueError:  # half of a surrogate pair
        return None
    return read if plain else None


def description_of(data):
    """What a description says, None where the bytes are none. Only what evidence hangs on is asked for: later versions
    of the schema add members."""
    read = plain_of(data)
    if read is None:
        return None
    kind = next((kind for kind in KINDS if read.get("schema") == f"{kind}.v1"), None)
    # Only a record has components.
    components = read.get("components") if kind == "record" else None if "components" in read else []
    formed = (
        kind is not None
        and isinstance(read.get(kind), str)
        and re.fullmatch(UUID, read[kind]) is not None
        and is_digest(read.get("salt"))
        and ("replaces" not in read or is_digest(read["replaces"]))
        and isinstance(components, list)
        and all(map(is_component, components))
    )
    return read if formed else None


def kept_of(data):
    """What a stub or a certificate says, None where the bytes are neither."""
    read = plain_of(data)
    if read is None:
        return None
    order = read.get("order")
    certified = is_digest(read.get("stub")) and isinstance(order, dict) and is_whole(order.get("entry"))
    formed = (
        (read.get("schema") == STUB or read.get("schema") == CERTIFICATE and certified)
        and isinstance(read.get("record"), str)
        and re.fullmatch(UUID, read["record"]) is not None
        and is_digest(read.get("salt"))
        and "replaces" not in read
    )
    return read if formed else None


def components_of(description):
    """Only a record has any; in a stub they are counted."""
    return description["components"] if description["schema"] == "record.v1" else []


def read_description(data, kind, unit, digest, schema=None):
    """The description of a unit; with a schema, what is kept of a record: its stub or its certificate."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise tampered(
            "bản mô tả không phải là bản mà sự kiện nêu", "this is not the description that the entry names"
        )
    read = kept_of(data) if schema else description_of(data)
    if read is None:
        raise tampered(
            "bản mô tả không đúng dạng chuẩn (RFC 8785)",
            "the description is not in RFC 8785 form, or not what FORMAT.md says",
        )
    if read["schema"] != (schema or f"{kind}.v1") or read[kind] != unit:
        raise tampered(
            "bản mô tả thuộc về tài liệu, hồ sơ hoặc phông khác với sự kiện nêu",
            "the description is of another record than the entry, or of another file or fonds",
        )
    return read


def check_file(path, description, named):
    """Of what has no components, the description itself is the file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    digest = digest.hexdigest()
    if digest != named and not any(component["sha256"] == digest for component in components_of(description)):
        raise tampered(
            "tệp không phải là tệp nào được nêu trong bản mô tả",
            "the file is none of the components that the description lists",
        )


# --- the whole archive: its files ------------------------------------------------------------------------

WIDTH = 256  # of a full tile
TEXT_BYTES_MAX = 16 * 1024 * 1024

ALTERED = "đã bị thay đổi", "altered"
MISSING = "bị mất", "missing"
UNKNOWN = "không thuộc kho", "does not belong here"
UNREADABLE = "không đọc được", "cannot be read"
UNCHECKED = "chưa kiểm tra được", "cannot be checked"
UNDER_WAY = "đang ghi dở, chưa thuộc kho", "a write under way, not part of the archive yet"
UNNAMED = "no entry and no description names it"
LEFT = "the record was destroyed, and nothing of it belongs here"


class Fault(Exception):
    """What is wrong with one file: of which kind, and what exactly."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def altered(detail):
    return Fault(ALTERED, detail)


def say(line):
    """A line of the answer. A name from the archive must not look like one: what cannot be printed is escaped."""
    try:
        print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line))
    except OSError as fault:
        give_up(None, fault, None)


class Place:
    """The files of an archive. A stranger may have put them there: nothing but a regular file is read, no link is
    followed, and no more is held than was asked for."""

    def __init__(self, root):
        self.root = root

    @contextlib.contextmanager
    def open(self, path):
        if re.search("(^|/)[.]{0,2}(/|$)|[\x00-\x1f\x7f]", path):
            raise Fault(UNREADABLE, "it is no path inside an archive")

        def opener(path, flags):
            # Without O_NONBLOCK a named pipe would be waited for.
            return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)

        try:
            with open(os.path.join(self.root, path), "rb", opener=opener) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Fault(UNREADABLE, "it is no regular file")
                yield file
        except (FileNotFoundError, IsADirectoryError):
            raise Fault(MISSING, "nothing is there") from None
        except OSError as fault:
            raise Fault(UNREADABLE, fault.strerror) from None

    def read(self, path, most):
        """The whole file, if it is not larger than that."""
        with self.open(path) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise altered(f"it has more than {most} bytes")
        return data

    def digest(self, path):
        """SHA-256 in hexadecimal digits, and the number of bytes."""
        digest, size = hashlib.sha256(), 0
        with self.open(path) as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
                size += len(piece)
        return digest.hexdigest(), size

    def names(self, folder=""):
        """(name, is it a folder, is it a regular file) of all that lies directly in a folder. A name that is not UTF-8
        is no name of ours, and counts as neither."""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for entry in entries:
                    is_folder, is_file = entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)
                    ours = not re.search("[\ud800-\udfff]", entry.name)
                    yield entry.name, ours and is_folder, ours and is_file
        except FileNotFoundError:  # a living archive takes away what was written under way
            return
        except OSError as fault:
            raise Fault(UNREADABLE, fault.strerror) from None

    def everything(self, folder):
        """(path, is it a regular file) of all that lies below a folder and is none itself."""
        folders = [folder]
        while folders:
            folder = folders.pop()
            for name, is_folder, is_file in self.names(folder):
                path = f"{folder}/{name}"
                if is_folder:
                    folders.append(path)
                else:
                    yield path, is_file


KIND_OF = {folder: kind for kind, (folder, _) in KINDS.items()}


def intended_of(path):
    """The unit whose folder a path lies in, as an intent names it: a record by its identifier alone. None where it lies
    in none."""
    form = re.fullmatch(f"([a-z]+)/([0-9a-f]{{2}})/({UUID})/.*", path, re.DOTALL)
    if not form or form[1] not in KIND_OF or not form[3].endswith(form[2]):
        return None
    return form[3] if form[1] == "records" else f"{form[1]}/{form[3]}"


class Findings:
    """What was found. It is told at once and not held, for there may be much of it."""

    def __init__(self, place):
        self.place, self.kinds, self.shown = place, set(), 0
        self.entries = self.records = self.components = self.bytes = 0
        self.suspects = []  # what nothing names in folders of units and stubs, until it is known who writes there
        self.intended = self.read_intents()

    @contextlib.contextmanager
    def about(self, path):
        """Whatever is found wrong in here is wrong with this file."""
        try:
            yield
        except Fault as fault:
            self.fault(path, fault.kind, fault.detail)
        except Verdict as verdict:
            self.fault(path, ALTERED, verdict.reason)

    def fault(self, path, kind, detail):
        self.kinds.add(kind)
        say(f"{path}: {kind[0]} ({kind[1]}): {detail}")

    def under_way(self, path):
        say(f"{path}: {UNDER_WAY[0]} ({UNDER_WAY[1]})")

    def read_intents(self):
        """Units into whose folders a living process, or one that was killed, says that it is writing."""
        intended = set()
        with self.about("staging/intents"):
            for path, is_file in self.place.everything("staging/intents"):
                if is_file and not leftover_of(path):
                    with contextlib.suppress(Fault):  # fulfilled while we look
                        lines = self.place.read(path, TEXT_BYTES_MAX).decode("utf-8", "replace").split("\n")
                        intended.update(re.sub("\r$", "", line) for line in lines)
        return intended

    def unnamed(self, path):
        """A file that nothing names."""
        unit = intended_of(path)
        if (unit or path) in self.intended:  # a timestamp or a stub under way is named by its path
            self.under_way(path)
        elif unit is None and not path.startswith("stubs/"):
            self.fault(path, UNKNOWN, UNNAMED)
        else:
            self.suspects.append(path)

    def unnamed_or_leftover(self, path, is_file, has_a_name):
        if is_file and leftover_of(path) and has_a_name(leftover_of(path)):
            self.under_way(path)
        else:
            self.unnamed(path)

    def progress(self, what):
        """For whoever looks on."""
        if sys.stderr.isatty() and time.monotonic() > self.shown + 0.2:
            self.shown = time.monotonic()
            sys.stderr.write(f"\r{what}\x1b[K\r")
            sys.stderr.flush()


def leftover_of(path):
    """`x#1` beside the name x is what a process leaves that dies while it writes x: that name, or None."""
    form = re.fullmatch("(.*[^/])#[0-9]+", path, re.DOTALL)
    return form and form[1]


# --- the whole archive: the ledger -----------------------------------------------------------------------


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The right edge of the tree (RFC 6962): the roots of its perfect subtrees, and the last tile of each level as far
    as it is filled."""

    def __init__(self):
        self.size, self.roots, self.rows = 0, [], [[] for _ in range(8)]

    def append(self, entry):
        """Adds an entry, and gives the tiles that are full with it: level, number, hashes."""
        self.size += 1
        digest, height, full = hashlib.sha256(b"\x00" + entry).digest(), 0, []
        while True:
            if height % 8 == 0:
                row = self.rows[height // 8]
                row.append(digest)
                if len(row) == WIDTH:
                    full.append((height // 8, (self.size >> height) // WIDTH - 1, row))
                    self.rows[height // 8] = []
            if self.size >> height & 1:
                break
            digest, height = node_hash(self.roots.pop(), digest), height + 1
        self.roots.append(digest)
        return full

    def root(self):
        return functools.reduce(lambda right, left: node_hash(left, right), reversed(self.roots))


BUNDLES = "entries"  # their level, in paths


def tile_path(level, n, width):
    """log/tile/<level>/<n>[.p/<width>]; 1234067 is x001/x234/067."""
    path = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        path = f"x{n % 1000:03}/{path}"
    return f"log/tile/{level}/{path}" + ("" if width == WIDTH else f".p/{width}")


def tile_of(path):
    """(level, n, width) of a path that is written so, or None."""
    form = re.fullmatch("log/tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:[.]p/([0-9]{1,3}))?", path)
    if not form:
        return None
    level, n = form[1] if form[1] == BUNDLES else int(form[1]), int(re.sub("[x/]", "", form[2]))
    tile = level, n, int(form[3] or WIDTH)
    known = (level == BUNDLES or level < 64) and n < 2**64 and tile_path(*tile) == path
    return tile if known and 0 < tile[2] <= WIDTH else None


def commit_path(base):
    return f"log/commits/{base:020}"


def sized(path):
    """(folder, size) of the files under log/ that are named by a size, or None."""
    form = re.fullmatch("log/(commits)/([0-9]{20})|log/(checkpoints|cosignatures)/(0|[1-9][0-9]{0,19})", path)
    size = form and int(form[2] or form[4])
    return (form[1] or form[3], size) if form and size < 2**64 else None


def stamp_file(path):
    """The match of a path of a timestamp's file, or None."""
    form = re.fullmatch("log/timestamps/(0|[1-9][0-9]{0,19})[.][a-z0-9-]{1,32}[.](tsr|chain[.]pem)", path)
    return form if form and int(form[1]) < 2**64 else None


def has_a_name(path):
    """Is this a path that the log gives to a file?"""
    named = sized(path) or tile_of(path) or stamp_file(path)
    return path == "log/checkpoint" or named is not None


def open_checkpoint(data, keys):
    """A checkpoint that one of the keys signed, in the shape of a receipt; a verdict where none did."""
    text, checkpoint = utf8(data), Receipt()
    if text is None or CONTROL.search(text):
        raise altered("it is no signed note")
    read_note(checkpoint, text)
    check_signatures(checkpoint, keys)
    return checkpoint


def commit_key(key):
    """The same key under the name that signs commits."""
    name = key[0] + "/commit"
    return name, hashlib.sha256(name.encode() + b"\n\x01" + key[2]).digest()[:4], *key[2:]


# What an entry says of a unit: number, unit, where it may stand, does it name a description, which (or which stub or
# certificate), and which one it replaces.
ACT = struct.Struct(">Q16sB?32s32s")
# That an entry places a hold, and which.
PLACED = struct.Struct(">Q16s")
# That a request was answered, and by which entry.
REQUEST = struct.Struct(">16sQ")


class Ledger:
    """Follows the commits by size, never by listing, and holds against them every file under log/."""

    def __init__(self, findings, keys, known, policy, authorities):
        self.place, self.findings, self.keys, self.known, self.policy = findings.place, findings, keys, known, policy
        self.authorities = authorities
        self.stamps = []  # (entry's number, entry) of every timestamp
        self.bounds = {}  # by the size at which a commit ends: the times of the entries on both sides, and the root
        self.pledges, self.audits_open = [], set()  # what audits pledged: (number, size, root); those that did not end
        self.end = None  # where the last commit ended
        self.commit_keys = [commit_key(key) for key in keys]
        self.tree, self.bundle, self.primacy, self.newest = Tree(), [], (1, 1), ""
        self.bases = []  # where commits begin
        self.documents = {}  # the self-description in force
        # What grows with the ledger, packed: by the kind and the last byte of the unit, by the first one of the request.
        self.acts = {kind: [bytearray() for _ in range(256)] for kind in KINDS}
        self.requests = [bytearray() for _ in range(256)]
        self.placed = [bytearray() for _ in range(256)]  # by the last byte of the hold
        # What commits past the end are about, as far as they were read, and which records they ordered to end.
        self.past, self.living, self.ended = None, set(), set()
        self.published, self.stated = 0, None
        self.witnessed = 0  # the largest size that enough witnesses cosigned

    def verify(self):
        self.list()
        with self.findings.about("log/checkpoint"):
            self.stated = open_checkpoint(self.place.read("log/checkpoint", NOTE_BYTES_MAX), self.keys)
            self.published = self.stated.size
            self.known = [*self.known, ("log/checkpoint", self.stated)]
        while self.commit():
            self.findings.progress(f"{self.tree.size} sự kiện / entries")
        self.expect_known()
        self.expect_witnesses()
        self.expect_pledges()
        self.verify_stamps()
        self.rest()
        self.partials()
        self.check_requests()
        self.check_holds()
        self.findings.entries = self.tree.size

    def list(self):
        """What lies under log/: by size what is named by one, tiles by their widths."""
        self.sizes = {"commits": set(), "checkpoints": set(), "cosignatures": set()}
        self.tiles, self.others = {}, []
        with self.findings.about("log"):
            for path, is_file in self.place.everything("log"):
                size, tile = sized(path), tile_of(path)
                if is_file and size:
                    self.sizes[size[0]].add(size[1])
                elif is_file and tile:
                    self.tiles.setdefault(tile[:2], set()).add(tile[2])
                elif not is_file or path != "log/checkpoint":
                    self.others.append((path, is_file))

    # One commit after the other.

    def commit(self):
        """Takes in the commit that begins where the tree ends; False where the ledger cannot be followed further."""
        base, path = self.tree.size, commit_path(self.tree.size)
        try:
            with self.place.open(path) as file:
                self.bases.append(base)
                note, primacy = self.read_commit(file, base)
                file.seek(0)
                self.take(file, base, note, primacy)
        except Fault as fault:
            if fault.kind is not MISSING or base == 0 or base < self.published:
                self.findings.fault(path, fault.kind, fault.detail)
            return False
        except Verdict as verdict:
            self.findings.fault(path, ALTERED, verdict.reason)
            return False
        self.checkpoints()
        return True

    def read_commit(self, file, base):
        """Form, size and signature of a commit: its note, and who it says was the primary. The entries are counted
        here and read again later: there may be more of them than memory holds."""
        count = 0
        for line in iter(lambda: file.readline(ENTRY_BYTES_MAX + 2), b"\n"):
            if not re.fullmatch(b"[ -~]{1,4096}\n", line):
                raise altered("a line of a commit is no entry: ASCII, 1 to 4096 bytes")
            count += 1
        data = file.read(NOTE_BYTES_MAX + 1)
        text, note = utf8(data), Receipt()
        if text is None or CONTROL.search(text) or len(data) > NOTE_BYTES_MAX:
            raise altered("it does not end in a signed note")
        body, blank, signatures = text.rpartition("\n\n")
        body, _, line = body.rpartition("\n")
        primary = re.fullmatch("primary ([1-9][0-9]{0,9}) epoch ([1-9][0-9]{0,9})", line)
        if not primary or any(int(n) >= 2**32 for n in primary.groups()):
            raise altered("a commit says `primary <replica> epoch <epoch>` in its last line")
        read_note(note, body + blank + signatures)
        note.body = f"{body}\n{line}\n".encode()
        check_signatures(note, self.commit_keys)
        if count == 0 or note.size != base + count:
            raise altered("the size in the note is not the base and the entries")
        return note, (int(primary[1]), int(primary[2]))

    def take(self, file, base, note, primacy):
        path, due = commit_path(base), self.primacy
        for seq in range(base, note.size):
            line = file.readline(ENTRY_BYTES_MAX + 2)[:-1]
            entry, rule = entry_of(line)
            wrong = self.fold(seq, entry, rule) if entry else "it is no entry in form"
            if wrong:
                self.findings.fault(path, ALTERED, f"entry {seq}: {wrong}")
            if entry and entry["event"] == "key_rotated" and not self.is_new_key(entry["key"], note.size):
                detail = "it changes the signing key, and the file of public keys does not say so"
                self.findings.fault(path, ALTERED, detail)
            if entry and entry["event"] == "promoted":
                # Only the first entry of a commit may, into the next epoch.
                follows = seq == base and int(entry["epoch"]) == self.primacy[1] + 1
                due = (int(entry["replica"]), int(entry["epoch"])) if follows else None
            self.bundle.append(line)
            for full in self.tree.append(line):
                self.full(*full)
            if len(self.bundle) == WIDTH:
                self.full(BUNDLES, seq // WIDTH, self.bundle)
                self.bundle = []
            self.compare_known()
        if due != primacy:
            detail = "it was made under primary %d epoch %d, which was not in force" % primacy
            self.findings.fault(path, ALTERED, detail)
        self.primacy = primacy
        if self.tree.root() != note.root:
            raise altered("its root does not follow from its entries")
        if self.newest:
            self.bounds[note.size], self.end = [self.newest, None, note.root], note.size

    def is_new_key(self, fingerprint, size):
        """Does the file of public keys have this key sign from this size on?"""
        for name, key_id, key, first, _ in self.keys:
            text = f"{name}+{key_id.hex()}+{base64.b64encode(bytes([1]) + key).decode()}"
            if hashlib.sha256(text.encode()).hexdigest() == fingerprint:
                return first == size
        return False

    def fold(self, seq, entry, rule):
        """Takes in what follows from an entry, and says why it may not follow. What hangs on earlier entries about the
        same unit, or with the same request, is asked when all are there."""
        earlier, self.newest = entry["at"] < self.newest, entry["at"]
        request = bytes.fromhex(entry["request"])
        self.requests[request[0]] += REQUEST.pack(request[:16], seq)
        if seq == self.end:
            self.bounds[seq][1] = entry["at"]
        if entry["event"] == "timestamped":
            self.stamps.append((seq, entry))
            if not 1 <= int(entry["size"]) <= seq:
                return CANNOT_FOLLOW
        if entry["event"] == "audit_pledged":
            self.pledges.append((seq, int(entry["size"]), entry["root"]))
            self.audits_open.add(seq)
            if not 1 <= int(entry["size"]) <= seq:
                return CANNOT_FOLLOW
        if entry["event"] == "audited":
            if int(entry["pledge"]) not in self.audits_open:
                return CANNOT_FOLLOW
            self.audits_open.discard(int(entry["pledge"]))
        if "documents" in entry:
            self.documents = json.loads(entry["documents"])
        kind, unit = unit_of(entry)
        if kind is not None:
            unit = packed(unit)
            digests = bytes.fromhex(named_in(entry)), bytes.fromhex(entry.get("replaces", ""))
            self.acts[kind][unit[-1]] += ACT.pack(seq, unit, rule, "description" in entry, *digests)
        if entry["event"] == "hold_placed":
            hold = packed(entry["hold"])
            self.placed[hold[-1]] += PLACED.pack(seq, hold)
        if earlier:
            return "it is earlier than the entry before it"
        if rule == FIRST and seq > 0 or rule == LATER and seq == 0:
            return CANNOT_FOLLOW
        return None

    def fault_of(self, seq, detail):
        path = commit_path(self.bases[bisect.bisect_right(self.bases, seq) - 1])
        self.findings.fault(path, ALTERED, f"entry {seq}: {detail}")

    def check_requests(self):
        for bucket in self.requests:
            seen = set()
            for request, seq in REQUEST.iter_unpack(bucket):
                if request in seen:
                    self.fault_of(seq, "its request was answered by an earlier entry")
                seen.add(request)

    def check_holds(self):
        """A hold that is placed has begun, and was not released."""
        for shard, bucket in enumerate(self.placed):
            begun, released = {}, {}
            for seq, hold, rule, names, *_ in ACT.iter_unpack(self.acts["hold"][shard] if bucket else b""):
                if names:
                    begun.setdefault(hold, seq)
                if rule == RELEASES:
                    released.setdefault(hold, seq)
            for seq, hold in PLACED.iter_unpack(bucket):
                if not begun.get(hold, seq) < seq <= released.get(hold, seq):
                    self.fault_of(seq, CANNOT_FOLLOW)

    # What was signed of it.

    def compare_known(self):
        """Checkpoints that are known from elsewhere, and the one in force, against the tree of their size."""
        for path, checkpoint in self.known:
            if checkpoint.size == self.tree.size and checkpoint.root != self.tree.root():
                self.findings.fault(path, ALTERED, FORK)

    def expect_known(self):
        size = self.tree.size
        for path, checkpoint in self.known:
            if checkpoint.size > size:
                detail = f"{path} is of {checkpoint.size} entries, the commits have {size}"
                self.findings.fault(commit_path(size), MISSING, detail)
            elif checkpoint.size not in self.bases[1:] + [size]:
                self.findings.fault(path, ALTERED, "it is signed, and no commit ends at its size: a fork")

    def checkpoints(self):
        """The files of checkpoints of the size that the tree has now."""
        size, root = self.tree.size, self.tree.root()
        wanted = {"checkpoints": size == self.published, "cosignatures": False}
        for folder in [folder for folder in wanted if wanted[folder] or size in self.sizes[folder]]:
            path = f"log/{folder}/{size}"
            with self.findings.about(path):
                checkpoint = open_checkpoint(self.place.read(path, NOTE_BYTES_MAX), self.keys)
                if (checkpoint.size, checkpoint.root) != (size, root):
                    raise altered(FORK)
                if folder == "cosignatures":
                    self.cosignatures(path, checkpoint)
            self.sizes[folder].discard(size)

    def cosignatures(self, path, checkpoint):
        """Every line is by somebody, and holds."""
        size, witnesses = checkpoint.size, self.policy.witnesses() if self.policy else []
        ours = [key[:2] for key in self.keys if key[3] <= size and (key[4] is None or size <= key[4])]
        for signer, signer_id, _ in checkpoint.signatures:
            if (signer, signer_id) not in ours + [witness[:2] for witness in witnesses]:
                kind = ALTERED if signer == checkpoint.origin else UNCHECKED
                self.findings.fault(path, kind, "a line is by a witness whose key is not at hand (--witnesses)")
        for witness in witnesses:
            cosigned(checkpoint, *witness)
        if self.policy and is_met(self.policy, checkpoint):
            self.witnessed = size

    def expect_witnesses(self):
        if self.policy and self.policy.quorum >= 0 and self.witnessed < self.published:
            detail = f"too few witnesses cosigned the newest checkpoint; enough cosigned {self.witnessed} entries"
            self.findings.fault(f"log/cosignatures/{self.published}", UNCHECKED, detail)

    def expect_pledges(self):
        """What audits pledged is a state that the ledger had."""
        for seq, size, root in self.pledges:
            if self.bounds.get(size, (None, None, b""))[2].hex() != root:
                self.fault_of(seq, "it pledges an audit of a state that the ledger never had")

    # What authorities say of it.

    def verify_stamps(self):
        unchecked = set()
        for _, entry in self.stamps:
            size, authority = int(entry["size"]), entry["authority"]
            path = f"log/timestamps/{size}.{authority}"
            last, after, _ = self.bounds.get(size, (None, None, None))
            if last is None:
                self.findings.fault(f"{path}.tsr", ALTERED, "it is of a size at which no commit ends")
            elif is_late(last, entry["time"]):
                self.findings.fault(f"{path}.tsr", ALTERED, "an entry that it covers is later than it")
            elif after and is_backdated(after, entry["time"]):
                self.findings.fault(commit_path(size), ALTERED, "an entry is earlier than a timestamp before it")
            token = self.named_file(f"{path}.tsr", entry["token"], TOKEN_BYTES_MAX)
            chain = self.named_file(f"{path}.chain.pem", entry["chain"], PEM_BYTES_MAX)
            note = self.named_file(f"log/checkpoints/{size}", entry["checkpoint"], NOTE_BYTES_MAX)
            if None in (token, chain, note):
                continue
            with self.findings.about(f"{path}.tsr"):
                try:
                    moment = stamp_of(token, note, self.authorities or chain, chain)
                except OSError:
                    raise Fault(UNCHECKED, "this machine lacks openssl, which checks timestamps") from None
                if moment != entry["time"]:
                    raise altered("the timestamp does not hold, or says another time than the ledger")
            if self.authorities is None:
                unchecked.add(authority)
        for authority in sorted(unchecked):
            detail = f"the certificates of authority {authority} are not at hand: give them with --authorities"
            self.findings.fault("log/timestamps", UNCHECKED, detail)
        self.lapsed()
        named = {f"log/timestamps/{entry['size']}.{entry['authority']}" for _, entry in self.stamps}
        self.others = [one for one in self.others if re.sub("[.](tsr|chain[.]pem)$", "", one[0]) not in named]

    def named_file(self, path, digest, most):
        """A file whose digest an entry tells; None where it is not that."""
        with self.findings.about(path):
            data = self.place.read(path, most)
            if hashlib.sha256(data).hexdigest() != digest:
                raise altered("its digest is not the one in the ledger")
            return data
        return None

    def lapsed(self):
        """A timestamp that was not renewed before its certificate ended is worth what the archive's word is worth."""
        newest = max((entry["time"] for _, entry in self.stamps), default="")
        for seq, entry in self.stamps:
            renews = (int(later["size"]) > seq and later["time"] < entry["until"] for _, later in self.stamps)
            if entry["until"] <= newest and not any(renews):
                detail = f"its certificate ended at {entry['until']}, and no other timestamp covered it by then"
                self.findings.fault(f"log/timestamps/{entry['size']}.{entry['authority']}.tsr", UNCHECKED, detail)

    # What is published of it.

    def full(self, level, n, parts):
        """A tile or bundle that is full by the commits: every width of it that lies here, and the one that must."""
        widths, height = self.tiles.pop((level, n), set()), 0 if level == BUNDLES else 8 * level
        if (self.published >> height) // WIDTH > n:
            widths.add(WIDTH)
        for width in widths:
            self.compare(level, n, width, parts)

    def compare(self, level, n, width, parts):
        path, parts = tile_path(level, n, width), parts[:width]
        expected = b"".join(struct.pack(">H", len(part)) + part if level == BUNDLES else part for part in parts)
        with self.findings.about(path):
            try:
                if self.place.read(path, len(expected)) != expected:
                    raise altered("it is not what the commits give")
            except Fault as fault:
                # A part that was listed and is gone has become a whole one meanwhile.
                if fault.kind is not MISSING or width == WIDTH:
                    raise

    def rest(self):
        """What lies here and the commits have not led to."""
        for (level, n), widths in self.tiles.items():
            height = 8 if level == BUNDLES else 8 * (level + 1)
            row = self.bundle if level == BUNDLES else self.tree.rows[level] if level < 8 else []
            for width in widths:
                if n == self.tree.size >> height and width <= len(row):
                    self.compare(level, n, width, row)
                else:
                    self.findings.unnamed(tile_path(level, n, width))
        for base in self.sizes["commits"].difference(self.bases):
            self.findings.unnamed(commit_path(base))
        for folder in ("checkpoints", "cosignatures"):
            for size in self.sizes[folder]:
                self.findings.unnamed(f"log/{folder}/{size}")
        for path, is_file in self.others:
            self.findings.unnamed_or_leftover(path, is_file, has_a_name)

    def partials(self):
        """The partial tiles of the published size, on which the checkpoint stands until they are full."""
        for level in [BUNDLES, *range(8)]:
            hashes = self.published >> (0 if level == BUNDLES else 8 * level)
            path = tile_path(level, hashes // WIDTH, hashes % WIDTH)
            if hashes % WIDTH:
                try:
                    with self.place.open(path):
                        pass
                except Fault as fault:
                    # A living archive that has published more since may have removed it.
                    if self.still_published():
                        self.findings.fault(path, fault.kind, fault.detail)

    def still_published(self):
        try:
            return open_checkpoint(self.place.read("log/checkpoint", NOTE_BYTES_MAX), self.keys).size == self.published
        except (Fault, Verdict):
            return False

    def committed_since(self):
        """What commits past the end, as we saw it, are about: units as intents name them, and paths of stubs. Goes on
        where it stopped before."""
        base = self.tree.size if self.past is None else self.past
        with contextlib.suppress(Fault, Verdict):
            while True:
                self.past = base
                with self.place.open(commit_path(base)) as file:
                    note, _ = self.read_commit(file, base)
                    file.seek(0)
                    for _ in range(base, note.size):
                        self.look_past(entry_of(file.readline(ENTRY_BYTES_MAX + 2)[:-1])[0] or {})
                    base = note.size
        return self.living

    def look_past(self, entry):
        kind, unit = unit_of(entry)
        if kind is not None:
            self.living.add(unit if kind == "record" else f"{KINDS[kind][0]}/{unit}")
        if entry.get("event") in KEPT:
            self.living.add(stub_path(unit, named_in(entry)))
        if "stub" in entry:
            self.ended.add(unit)

    @contextlib.contextmanager
    def unless_ended(self, kind, unit):
        """What is missing of a record is no fault where a living archive has ordered it to end since."""
        try:
            yield
        except Fault as fault:
            if fault.kind is MISSING and kind == "record":
                self.committed_since()
                if unit in self.ended:
                    return
            raise


CANNOT_FOLLOW = "it cannot follow what is before it"
FORK = "it is signed, and not what the commits give: a fork"


# --- the whole archive: records and documents ------------------------------------------------------------


def verify_units(ledger):
    """Every description that an entry names, every component that a description names, what is kept of records that
    ended, and nothing else. One shard after the other, so that no more than its listing is held."""
    for kind in KINDS:
        verify_kind(ledger, kind)


def verify_kind(ledger, kind):
    findings, top = ledger.findings, KINDS[kind][0]
    shards = {f"{shard:02x}" for shard in range(256) if ledger.acts[kind][shard]}
    for folder in (top, "stubs") if kind == "record" else (top,):
        with findings.about(folder):
            for name, is_folder, _ in findings.place.names(folder):
                if is_folder:
                    shards.add(name)
                else:
                    findings.unnamed(f"{folder}/{name}")
    for shard in sorted(shards):
        known = re.fullmatch("[0-9a-f]{2}", shard)
        units, ends = follow(ledger, kind, int(shard, 16)) if known else ({}, {})
        findings.records += len(units) - len(ends) if kind == "record" else 0
        with findings.about(f"{top}/{shard}"):
            listed, expected = list(findings.place.everything(f"{top}/{shard}")), set()
            for unit, descriptions in units.items():
                # Nothing has to be there of a record that was ordered to end, and nothing of it is read.
                if unit not in ends:
                    expected |= verify_unit(ledger, kind, unit, descriptions)
                findings.progress(f"{findings.components} tệp / components")
            for path, is_file in listed:
                if not is_file or path not in expected:
                    unexpected(findings, path, ends)
        if kind == "record":
            verify_stubs(findings, shard, ends)


def unexpected(findings, path, ends):
    """A file in a folder of units that nothing names. Of a record that is being destroyed it may lie here still; of one
    that was destroyed it may not, whatever a process says."""
    end = ends.get(packed(intended_of(path))) if ends and intended_of(path) else None
    if end is None:
        findings.unnamed(path)
    elif end.certificate:
        findings.fault(path, UNKNOWN, LEFT)


class End:
    """How a record ended: the number of its order, its stub, where the certificate may stand, and that, once there."""

    def __init__(self, order, stub, closing):
        self.order, self.stub, self.closing, self.certificate = order, stub, closing, None


def follow(ledger, kind, shard):
    """The descriptions of each unit of a shard, oldest first, and how it ended; and may each entry follow the one before
    it?"""
    units, ends = {}, {}
    for seq, unit, rule, names, named, replaces in ACT.iter_unpack(ledger.acts[kind][shard]):
        before, end = units[unit][-1] if unit in units else None, ends.get(unit)
        if rule in (DESTROYED, EXPELLED):
            follows = end is not None and end.closing == rule and end.certificate is None
        elif end is not None:
            follows = False  # from the order on nothing else is about the record
        elif rule in (REPLACES, RELEASES):
            follows = before == replaces
        else:
            follows = (before is None) == (rule == NEW)
        if not follows:
            ledger.fault_of(seq, CANNOT_FOLLOW)
        elif rule in (DESTROYS, EXPELS):
            ends[unit] = End(seq, named, DESTROYED if rule == DESTROYS else EXPELLED)
        elif rule in (DESTROYED, EXPELLED):
            end.certificate = named
        if names:
            units.setdefault(unit, []).append(named)
    return units, ends


def stub_path(record, digest):
    return f"stubs/{record[-2:]}/{record}/{digest}.json"


def is_stub_path(path):
    form = re.fullmatch(f"stubs/([0-9a-f]{{2}})/({UUID})/{HEX64}[.]json", path)
    return form is not None and form[2].endswith(form[1])


def verify_stubs(findings, shard, ends):
    """The stub that each order of a shard names, the certificate of each that was carried out, and nothing else."""
    with findings.about(f"stubs/{shard}"):
        listed, expected = list(findings.place.everything(f"stubs/{shard}")), set()
        for unit, end in ends.items():
            record, stub = spelled(unit), end.stub.hex()
            path = stub_path(record, stub)
            expected.add(path)
            with findings.about(path):
                read_description(findings.place.read(path, DESCRIPTION_BYTES_MAX), "record", record, stub, STUB)
            if end.certificate:
                certificate = end.certificate.hex()
                path = stub_path(record, certificate)
                expected.add(path)
                with findings.about(path):
                    data = findings.place.read(path, DESCRIPTION_BYTES_MAX)
                    read = read_description(data, "record", record, certificate, CERTIFICATE)
                    if (read["stub"], read["order"]["entry"]) != (stub, end.order):
                        raise altered("it is of another stub or order")
        for path, is_file in listed:
            if not is_file or path not in expected:
                findings.unnamed_or_leftover(path, is_file, is_stub_path)


def follow_all(ledger):
    for kind in KINDS:
        for shard in range(256):
            follow(ledger, kind, shard)


def spelled(unit):
    """The identifier of 16 bytes."""
    return re.sub("(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", unit.hex())


def packed(unit):
    """The 16 bytes of an identifier."""
    return bytes.fromhex(unit.replace("-", ""))


def verify_unit(ledger, kind, unit, descriptions):
    """The paths of a unit's files."""
    findings, unit = ledger.findings, spelled(unit)
    folder, paths, components, before = f"{KINDS[kind][0]}/{unit[-2:]}/{unit}", set(), {}, None
    for digest in [digest.hex() for digest in descriptions]:
        path = f"{folder}/{digest}.json"
        paths.add(path)
        with findings.about(path), ledger.unless_ended(kind, unit):
            read = read_description(findings.place.read(path, DESCRIPTION_BYTES_MAX), kind, unit, digest)
            if read.get("replaces") != before:
                raise altered("it does not replace the description before it")
            components.update((component["sha256"], component["size"]) for component in components_of(read))
        before = digest
    for digest, size in components.items():
        path = f"{folder}/{digest}"
        paths.add(path)
        with findings.about(path), ledger.unless_ended(kind, unit):
            if findings.place.digest(path) != (digest, size):
                raise altered("its digest is not its name")
            findings.components += 1
            findings.bytes += size
    return paths


def identity_text(identity):
    """place.json as it is written."""
    members = (json.dumps(identity[name], ensure_ascii=False) for name in ("archive", "origin", "replica", "epoch"))
    return '{"archive":%s,"origin":%s,"replica":%s,"epoch":%s}\n' % tuple(members)


def verify_identity(ledger, number):
    """The two numbers of place.json. Its bytes are given as the first entry has them, with 1 for both."""
    data = ledger.place.read("place.json", TEXT_BYTES_MAX)
    text = utf8(data)
    read = parsed(text or "")
    if not isinstance(read, dict) or set(read) != {"archive", "origin", "replica", "epoch"}:
        return data
    replica, epoch, epochs = read["replica"], read["epoch"], 1 if number == 1 else ledger.primacy[1]
    texts = isinstance(read["origin"], str) and isinstance(read["archive"], str) and re.fullmatch(UUID, read["archive"])
    if not texts or not is_whole(replica, 2**32) or not is_whole(epoch, 2**32) or identity_text(read) != text:
        return data  # another spelling is not what was written
    if replica != number:
        detail = f"it says that it is place {replica}, and this is place {number} (--place)"
        ledger.findings.fault("place.json", ALTERED, detail)
    if not 1 <= epoch <= epochs:
        detail = f"it says that it joined in epoch {epoch}, and there are {epochs}"
        ledger.findings.fault("place.json", ALTERED, detail)
    return identity_text(dict(read, replica=1, epoch=1)).encode()


def verify_documents(ledger, number):
    """The self-description, the keys and the place's identity, and that nothing else lies beside them."""
    place, findings, documents = ledger.place, ledger.findings, ledger.documents
    for path, digest in documents.items():
        with findings.about(path):
            if path == "place.json":
                found = hashlib.sha256(verify_identity(ledger, number)).hexdigest()
            else:
                found, _ = place.digest(path)
            if found != digest:
                raise altered("its digest is not the one in the ledger")
    with findings.about("."):
        for name, is_folder, is_file in place.names():
            with findings.about(name):
                passed_over = is_folder and (name in ("staging", "log", "stubs") or name in KIND_OF)
                files = [] if passed_over else place.everything(name) if is_folder else [(name, is_file)]
                for path, is_file in list(files):
                    if not is_file or path not in documents:
                        findings.unnamed_or_leftover(path, is_file, documents.__contains__)


def excuse_the_living(ledger):
    """An archive that is taking in while we look has files that its ledger did not name when we read it."""
    findings = ledger.findings
    if findings.suspects:
        living = findings.read_intents() | ledger.committed_since()
        for path in findings.suspects:
            if (intended_of(path) or path) in living:
                findings.under_way(path)
            else:
                findings.fault(path, UNKNOWN, UNNAMED)


# --- the questions ---------------------------------------------------------------------------------------


def read(path, most=-1):
    with open(path, "rb") as file:
        return file.read(most)


def receipt_command(receipt_path, file_path, keys_path, description_path, policy_path, token_path, roots_path):
    with open(file_path, "rb"):
        pass  # a file that cannot be read is a slip of the user, whatever the receipt says
    receipt_bytes, keys = read(receipt_path, RECEIPT_BYTES_MAX + 1), read(keys_path)
    description = None if description_path is None else read(description_path)
    policy = None if policy_path is None else read(policy_path, POLICY_BYTES_MAX + 1)
    token = None if token_path is None else read(token_path, TOKEN_BYTES_MAX + 1)
    authorities = None if roots_path is None else read(roots_path, PEM_BYTES_MAX + 1)
    keys = read_keys(keys)
    policy = None if policy is None else read_policy(policy)
    if authorities is not None:
        read_authorities(authorities)
    receipt = read_receipt(receipt_bytes)
    check_signatures(receipt, keys)
    if not included(receipt):
        raise tampered(
            "sự kiện không nằm trong sổ cái mà kho lưu trữ đã ký",
            "the entry is not in the tree that the checkpoint signs",
        )
    witnessed = policy is None or is_met(policy, receipt)
    stamped = None if token is None else check_timestamp(receipt, token, authorities)
    at, digest, event, kind, unit = read_entry(receipt.entry)
    if stamped is not None and is_late(at, stamped):
        raise tampered(
            "dấu thời gian không đúng hoặc không phải của điểm kiểm tra này", "the entry is later than the timestamp"
        )
    index, size, origin = receipt.index, receipt.size, receipt.origin
    if description is None:
        raise incomplete(
            f"biên nhận đúng (mục {index}, {at}), nhưng phải có bản mô tả mới đối chiếu được tệp",
            f"the receipt holds (entry {index}, {at}), but only its description ties it to a file: give that too",
        )
    check_file(file_path, read_description(description, kind, unit, digest, KEPT.get(event)), digest)
    if not witnessed:
        raise incomplete(
            "biên nhận đúng, nhưng chưa đủ bên chứng kiến ký: đề nghị kho cấp lại biên nhận, hoặc hỏi các bên chứng kiến",
            "the receipt holds, but too few witnesses cosigned it: ask the archive for it again, or find out what the "
            "witnesses have seen",
        )
    vi, en = ("", "") if policy is None else (", bên chứng kiến", ", witnesses")
    then_vi, then_en = "", ""
    if stamped is not None:
        vi, en = vi + ", dấu thời gian", en + ", timestamp"
        then_vi = f" Đã có trước {stamped} theo tổ chức cấp dấu thời gian."
        then_en = f" It was there at {stamped}, as a timestamping authority says."
    return Verdict(
        0,
        f"ĐÚNG: tệp đúng là tệp của {KINDS[kind][1]} {unit}, sự kiện {event} lúc {at}, mục {index} trên {size} trong sổ "
        f"cái của {origin}. Đã kiểm tra: khóa, chữ ký, vị trí trong sổ cái, sự kiện, bản mô tả, tệp{vi}.{then_vi}",
        f"HOLDS: the file is the one in {kind} {unit}, {event} at {at}, entry {index} of {size} in the ledger of "
        f"{origin}. Checked: key, signature, inclusion, entry, description, file{en}.{then_en}",
    )


def own_keys(findings):
    """The keys as the archive tells them itself; None where it does not."""
    with findings.about("keys/archive.keys"):
        data = findings.place.read("keys/archive.keys", NOTE_BYTES_MAX)
        try:
            return read_keys(data)
        except Verdict:
            raise altered("it is no list of public keys; nothing can be checked without it") from None
    return None


def known_checkpoint(path, keys):
    """A state of the ledger that somebody kept: a checkpoint, or the one in a receipt."""
    data = read(path, NOTE_BYTES_MAX + 1)
    try:
        if not data.startswith(b"c2sp.org/tlog-proof@v1\n"):
            return path, open_checkpoint(data, keys)
        receipt = read_receipt(data)
        check_signatures(receipt, keys)
        return path, receipt
    except (Fault, Verdict):
        raise usage(
            f"{path}: không phải là biên nhận hay điểm kiểm tra mà kho đã ký. Kiểm tra tệp và khóa",
            f"{path}: no receipt or checkpoint that the archive signed. Check the file and the keys",
        ) from None


def archive_command(scope, folder, keys_path, known_paths, policy_path, roots_path, place_number):
    if not any(os.path.lexists(os.path.join(folder, name)) for name in ("place.json", "keys", "log")):
        raise usage(
            f"không có kho tại {folder}. Chỉ thư mục có place.json (archive/ trong thư mục dữ liệu)",
            f"there is no archive at {folder}. Name the folder of place.json (archive/ in the data folder)",
        )
    keys = None if keys_path is None else read_keys(read(keys_path))
    policy = None if policy_path is None else read_policy(read(policy_path, POLICY_BYTES_MAX + 1))
    authorities = None if roots_path is None else read(roots_path, PEM_BYTES_MAX + 1)
    if authorities is not None:
        read_authorities(authorities)
    findings = Findings(Place(folder))
    keys = keys or own_keys(findings)
    if keys:
        known = [known_checkpoint(path, keys) for path in known_paths]
        ledger = Ledger(findings, keys, known, policy, authorities)
        ledger.verify()
        if scope == "archive":
            verify_documents(ledger, place_number)
            verify_units(ledger)
            excuse_the_living(ledger)
        else:
            follow_all(ledger)
    if scope == "archive":
        sizes = findings.entries, findings.records, findings.components, findings.bytes
        say("%d sự kiện, %d tài liệu, %d tệp, %d byte / %d entries, %d records, %d components, %d bytes" % (sizes * 2))
    else:
        say(f"{findings.entries} sự kiện / entries")
    if keys_path is None:
        say("Khóa công khai do chính kho cung cấp; dùng --keys với tệp khóa có từ nguồn khác để chắc chắn.")
        say("The archive itself told the public keys; --keys with a file from elsewhere makes sure.")
    return archive_verdict(findings.kinds)


def archive_verdict(kinds):
    if not kinds:
        vi, en = "ĐẠT: không có gì bị mất, bị sửa hay bị chèn vào.", "HOLDS: nothing lost, altered, or slipped in."
        return Verdict(0, vi, en)
    if kinds <= {UNREADABLE, UNCHECKED}:
        vi = "có tệp không đọc được hoặc chưa kiểm tra được; kiểm tra quyền đọc và ổ đĩa rồi chạy lại"
        en = "some files could not be read or checked; check permissions and the disk, then run again"
        return incomplete(vi, en)
    return Verdict(
        1,
        "KHÔNG ĐẠT: giữ nguyên hiện trạng, khôi phục các tệp nêu trên từ bản nhân hoặc bản sao lưu, rồi kiểm tra lại.",
        "DOES NOT HOLD: keep things as they are, bring the files above back from a replica or a backup, then verify "
        "again.",
    )


def archive_options(words):
    """Keys, known states, policy, certificates and number of the place, as they were asked for; None where it is no
    such list."""
    given = {"--keys": [], "--known": [], "--witnesses": [], "--authorities": [], "--place": []}
    for option, value in zip(words[::2], words[1::2]):
        if option not in given or given[option] and option != "--known":
            return None
        given[option].append(value)
    keys, policy, roots = ((given[name] or [None])[0] for name in ("--keys", "--witnesses", "--authorities"))
    place = number(given["--place"][0]) if given["--place"] else 1
    return (keys, given["--known"], policy, roots, place) if place and len(words) % 2 == 0 else None


OPTIONS = ("--description", "--witnesses", "--timestamp", "--authorities")


def run(arguments):
    if len(arguments) >= 2 and arguments[0] in ("archive", "ledger"):
        options = archive_options(arguments[2:])
        if options:
            return archive_command(*arguments[:2], *options)
    if len(arguments) in (4, 6, 8, 10, 12) and arguments[0] == "receipt":
        options = dict(zip(arguments[4::2], arguments[5::2]))
        alone = len(options) == (len(arguments) - 4) // 2 and set(options) <= set(OPTIONS)
        # A timestamp and those who are believed come together.
        if alone and ("--timestamp" in options) == ("--authorities" in options):
            return receipt_command(*arguments[1:4], *(options.get(name) for name in OPTIONS))
    raise usage(
        "cách dùng: verify.py receipt BIÊN_NHẬN TỆP TỆP_KHÓA [--description BẢN_MÔ_TẢ.json] [--witnesses TỆP_QUY_ĐỊNH] "
        "[--timestamp DẤU_THỜI_GIAN.tsr --authorities CHỨNG_THƯ.pem], hoặc verify.py archive|ledger THƯ_MỤC "
        "[--keys TỆP_KHÓA] [--known TỆP]... [--witnesses TỆP_QUY_ĐỊNH] [--authorities CHỨNG_THƯ.pem] [--place SỐ]",
        "usage: verify.py receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE] "
        "[--timestamp TOKEN.tsr --authorities ROOTS.pem], or verify.py archive|ledger FOLDER [--keys KEYFILE] "
        "[--known FILE]... [--witnesses POLICYFILE] [--authorities ROOTS.pem] [--place NUMBER]",
    )


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        verdict = run(sys.argv[1:])
    except Verdict as end:
        verdict = end
    except (OSError, ValueError) as fault:
        verdict = usage(f"không đọc được tệp ({fault})", f"a file cannot be read ({fault})")
    except Exception as fault:  # whatever it was, it is not a proof
        verdict = incomplete(f"lỗi trong chương trình ({fault!r})", f"a fault in this program ({fault!r})")
    print(verdict.vietnamese)
    print(verdict.english)
    sys.stdout.flush()  # now, while it can still be told that this failed
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
