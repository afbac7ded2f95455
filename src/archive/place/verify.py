#!/usr/bin/env python3
"""Kiểm tra một tệp của kho lưu trữ theo biên nhận: không cần mạng, không cần kho.
Checks one file of an archive by its receipt, without network and without the archive.

  verify.py receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE]

KEYFILE is the archive's keys/archive.keys. Get it from elsewhere than the receipt: whoever hands over
both could have made both. What is checked, in this order, and what the files look like: FORMAT.md.

Exit code: 0 holds, 1 evidence of tampering, 2 incomplete, 3 usage, or the answer could not be given.
Python 3.9 or later, standard library only; Ed25519 (RFC 8032) is below.
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
import hashlib  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402

RECEIPT_BYTES_MAX = 256 * 1024
SIGNATURES_MAX = 100
PATH_MAX = 63
ENTRY_BYTES_MAX = 4096
POLICY_BYTES_MAX = 64 * 1024
POLICY_NAMES_MAX = 256


class Verdict(Exception):
    """Ends the matter: exit code, and what to say in Vietnamese and in English."""

    def __init__(self, code, vietnamese, english):
        super().__init__(english)
        self.code, self.vietnamese, self.english = code, vietnamese, english


def tampered(vietnamese, english):
    return Verdict(
        1,
        f"KHÔNG ĐÚNG: {vietnamese}. Không sử dụng tệp; giữ nguyên hiện trạng và hỏi kho lưu trữ.",
        f"DOES NOT HOLD: {english}. Do not rely on the file; keep everything as it is and ask the archive.",
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


def multiply(scalar, point):
    result = NEUTRAL
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def is_weak(point):
    """Of small order: as a key it would check almost any signature."""
    return compress(multiply(8, point)) == compress(NEUTRAL)


BASE_Y = 4 * pow(5, -1, P) % P
BASE = decompress(BASE_Y.to_bytes(32, "little"))


def signed_by(key, signature, message):
    """Did the owner of this public key (32 bytes) sign these bytes?"""
    if len(signature) != 64:
        return False
    a, r, s = decompress(key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or is_weak(a) or is_weak(r):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x, y, z, t = multiply(h, a)
    return compress(add(multiply(s, BASE), (P - x, y, z, P - t))) == signature[:32]


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
    point = decompress(key[1:])
    if point is None or is_weak(point):
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
    lines = [] if text is None or CONTROL.search(text) else text.split("\n")
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
            if key is None or any(len(rule) == 3 and rule[2] == key[2] for rule in self.rules):
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
    receipt.signatures = [signature_line(line) for line in signatures[:-1].split("\n")]
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


# --- entry, description, file ----------------------------------------------------------------------------

# RFC 8785 sorts the members, so that each event has one form only.
ENTRY_HEAD = f'{{"at":"({MOMENT})","by":"{UUID}","description":"({HEX64})","event":'
ENTRIES = [
    ENTRY_HEAD + f'"(accessioned)","record":"({UUID})","request":"{HEX64}","v":1}}',
    ENTRY_HEAD
    + f'"(described|characterized)","record":"({UUID})","replaces":"{HEX64}","request":"{HEX64}","v":1}}',
]


def read_entry(data):
    """(at, description, event, record) of an entry that names a description."""
    if len(data) > ENTRY_BYTES_MAX or not data.isascii():
        raise tampered(
            "nội dung nằm trong sổ cái nhưng không phải là sự kiện đúng dạng",
            "the ledger holds these bytes, but they are no entry",
        )
    for form in ENTRIES:
        entry = re.fullmatch(form, data.decode("ascii"))
        if entry:
            return entry.groups()
    raise tampered(
        "sự kiện không phải là sự kiện của một tệp",
        "the entry is of no event that names a description: this receipt is not for a file",
    )


def refuse(what):
    raise ValueError(what)


def canonical(value):
    """RFC 8785 for objects, arrays, strings, booleans, null and whole numbers; there are no others here."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        refuse("a number beyond 2^53")
    return json.dumps(value, ensure_ascii=False)


def read_description(data, record, digest):
    if hashlib.sha256(data).hexdigest() != digest:
        raise tampered(
            "bản mô tả không phải là bản mà sự kiện nêu", "this is not the description that the entry names"
        )
    try:
        read = json.loads(data.decode("utf-8"), parse_float=refuse, parse_constant=refuse)
        same = canonical(read).encode("utf-8") == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise tampered(
            "bản mô tả không đúng dạng chuẩn (RFC 8785)", "the description is not in RFC 8785 form"
        )
    formed = isinstance(read, dict) and read.get("schema") == "record.v1" and isinstance(read.get("components"), list)
    if not formed or read.get("record") != record:
        raise tampered(
            "bản mô tả thuộc về tài liệu khác với tài liệu mà sự kiện nêu",
            "the description is of another record than the entry",
        )
    return read


def check_file(path, description):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    digest = digest.hexdigest()
    if not any(isinstance(c, dict) and c.get("sha256") == digest for c in description["components"]):
        raise tampered(
            "tệp không phải là tệp nào được nêu trong bản mô tả",
            "the file is none of the components that the description lists",
        )


# --- the questions ---------------------------------------------------------------------------------------


def read(path, most=-1):
    with open(path, "rb") as file:
        return file.read(most)


def receipt_command(receipt_path, file_path, keys_path, description_path, policy_path):
    with open(file_path, "rb"):
        pass  # a file that cannot be read is a slip of the user, whatever the receipt says
    receipt_bytes, keys = read(receipt_path, RECEIPT_BYTES_MAX + 1), read(keys_path)
    description = None if description_path is None else read(description_path)
    policy = None if policy_path is None else read(policy_path, POLICY_BYTES_MAX + 1)
    keys = read_keys(keys)
    policy = None if policy is None else read_policy(policy)
    receipt = read_receipt(receipt_bytes)
    check_signatures(receipt, keys)
    if not included(receipt):
        raise tampered(
            "sự kiện không nằm trong sổ cái mà kho lưu trữ đã ký",
            "the entry is not in the tree that the checkpoint signs",
        )
    witnessed = policy is None or is_met(policy, receipt)
    at, digest, event, record = read_entry(receipt.entry)
    index, size, origin = receipt.index, receipt.size, receipt.origin
    if description is None:
        raise incomplete(
            f"biên nhận đúng (mục {index}, {at}), nhưng phải có bản mô tả mới đối chiếu được tệp",
            f"the receipt holds (entry {index}, {at}), but only its description ties it to a file: give that too",
        )
    check_file(file_path, read_description(description, record, digest))
    if not witnessed:
        raise incomplete(
            "biên nhận đúng, nhưng chưa đủ bên chứng kiến ký: đề nghị kho cấp lại biên nhận, hoặc hỏi các bên chứng kiến",
            "the receipt holds, but too few witnesses cosigned it: ask the archive for it again, or find out what the "
            "witnesses have seen",
        )
    vi, en = ("", "") if policy is None else (", bên chứng kiến", ", witnesses")
    return Verdict(
        0,
        f"ĐÚNG: tệp đúng là tệp của tài liệu {record}, sự kiện {event} lúc {at}, mục {index} trên {size} trong sổ "
        f"cái của {origin}. Đã kiểm tra: khóa, chữ ký, vị trí trong sổ cái, sự kiện, bản mô tả, tệp{vi}.",
        f"HOLDS: the file is the one in record {record}, {event} at {at}, entry {index} of {size} in the ledger of "
        f"{origin}. Checked: key, signature, inclusion, entry, description, file{en}.",
    )


def archive_command(_folder):
    """Checks the whole archive in a folder. Its place is here; this issue of the program does not do it."""
    raise usage(
        "bản này của verify.py chưa kiểm tra được cả kho; dùng: vankho verify archive",
        "this issue of verify.py does not check a whole archive yet; use: vankho verify archive",
    )


def run(arguments):
    if len(arguments) == 2 and arguments[0] == "archive":
        return archive_command(arguments[1])
    if len(arguments) in (4, 6, 8) and arguments[0] == "receipt":
        options = dict(zip(arguments[4::2], arguments[5::2]))
        if len(options) == (len(arguments) - 4) // 2 and set(options) <= {"--description", "--witnesses"}:
            return receipt_command(*arguments[1:4], options.get("--description"), options.get("--witnesses"))
    raise usage(
        "cách dùng: verify.py receipt BIÊN_NHẬN TỆP TỆP_KHÓA [--description BẢN_MÔ_TẢ.json] [--witnesses TỆP_QUY_ĐỊNH]",
        "usage: verify.py receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE]",
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
