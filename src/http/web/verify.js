// Checks a receipt in the browser, by the same steps as the other verifiers of an archive, so that the answer need not
// be believed of the server. The steps and the forms: FORMAT.md in every archive. WebCrypto hashes and checks Ed25519.
'use strict';

const form = document.getElementById('receipt');
const shown = document.getElementById('verdict');
const say = shown.dataset;

const RECEIPT_BYTES_MAX = 256 * 1024;
const HASHED_BYTES_MAX = 1024 * 1024 * 1024;
const PATH_MAX = 63;
const SIGNATURES_MAX = 100;

// Ends the matter: 1 evidence of tampering, 2 incomplete, 3 not a question.
class Verdict extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}
const tampered = (text) => new Verdict(1, text);
const usage = (text) => new Verdict(3, text);
const tell = (vi, en) => (document.documentElement.lang === 'vi' ? vi : en);

const utf8 = new TextEncoder();
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const same = (a, b) => a.length === b.length && a.every((byte, n) => byte === b[n]);

// The text of bytes, or null where they are not UTF-8 or have a control character but the line feed.
function text(bytes) {
  try {
    const read = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // eslint-disable-next-line no-control-regex
    return /[\x00-\x09\x0b-\x1f]/.test(read) ? null : read;
  } catch {
    return null;
  }
}

// The bytes of base64 that encode to the same text again, or null.
function unbase64(encoded) {
  try {
    const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    return btoa(String.fromCharCode(...bytes)) === encoded ? bytes : null;
  } catch {
    return null;
  }
}
const unhash = (encoded) => {
  const bytes = unbase64(encoded);
  return bytes && bytes.length === 32 ? bytes : null;
};
// A number of at most 18 digits without leading zeros, or null.
const number = (digits) => (/^(0|[1-9][0-9]{0,17})$/.test(digits) ? BigInt(digits) : null);
const isName = (name) => name !== '' && !/[\s+\x85]/u.test(name);

// Points of small order: as a key, or in a signature, they would check almost anything.
const WEAK = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
];
const isWeak = (point) => WEAK.includes(hex(point)) || /^e[cde]f{60}[7f]f$/.test(hex(point))
  || /^0[01]0{60}[08]0$/.test(hex(point));

async function signedBy(key, signature, message) {
  if (signature.length !== 64 || isWeak(key) || isWeak(signature.slice(0, 32))) return false;
  const imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  return crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
}

async function keyLine(line) {
  const form = /^([^ +]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44}) ([0-9]+) ([0-9]+|-)$/.exec(line);
  if (!form || !isName(form[1])) return null;
  const [, name, id, encoded] = form;
  const [bytes, from, to] = [unbase64(encoded), number(form[4]), form[5] === '-' ? null : number(form[5])];
  if (!bytes || bytes.length !== 33 || bytes[0] !== 1 || isWeak(bytes.slice(1))) return null;
  if (from === null || (form[5] !== '-' && (to === null || to < from))) return null;
  const digest = await sha256(join(utf8.encode(`${name}\n`), bytes));
  return hex(digest.slice(0, 4)) === id ? { name, id, key: bytes.slice(1), from, to } : null;
}

async function readKeys(bytes) {
  const lines = (text(bytes) ?? '').split('\n').filter((line) => line && !line.startsWith('#'));
  const keys = await Promise.all(lines.map(keyLine));
  if (keys.length === 0 || keys.includes(null) || new Set(keys.map((key) => key.name)).size !== 1) {
    throw usage(tell('không đọc được tệp khóa; đề nghị kho lưu trữ cấp lại keys/archive.keys', 'the key file cannot be read; ask the archive for keys/archive.keys again'));
  }
  return keys;
}

function signatureLine(line) {
  const form = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line);
  const bytes = form && isName(form[1]) ? unbase64(form[2]) : null;
  return bytes && bytes.length >= 5 ? { name: form[1], id: hex(bytes.slice(0, 4)), payload: bytes.slice(4) } : null;
}

function readReceipt(bytes) {
  const first = utf8.encode('c2sp.org/tlog-proof@v1\n');
  if (!same(bytes.slice(0, first.length), first)) throw usage(tell('tệp đầu tiên không phải là biên nhận', 'the first file is no receipt'));
  const bad = tampered(tell('biên nhận bị hỏng hoặc đã bị sửa', 'the receipt is not in form'));
  const read = bytes.length <= RECEIPT_BYTES_MAX ? text(bytes) : null;
  const gap = read === null ? -1 : read.indexOf('\n\n');
  if (gap < 0) throw bad;
  const [, extra = '', index = '', ...path] = read.slice(0, gap).split('\n');
  const receipt = {
    entry: extra.startsWith('extra ') ? unbase64(extra.slice(6)) : null,
    index: index.startsWith('index ') ? number(index.slice(6)) : null,
    path: path.map(unhash),
  };
  if (!receipt.entry || receipt.index === null || path.length > PATH_MAX || receipt.path.includes(null)) throw bad;
  const note = read.slice(gap + 2);
  const end = note.lastIndexOf('\n\n');
  const body = note.slice(0, end + 1);
  const [origin, size, root, ...more] = body.split('\n');
  const lines = end < 0 || !note.endsWith('\n') ? [] : note.slice(end + 2, -1).split('\n').map(signatureLine);
  Object.assign(receipt, { body: utf8.encode(body), origin, size: number(size ?? ''), root: unhash(root ?? ''), lines });
  const formed = more.length === 1 && more[0] === '' && isName(origin) && receipt.size !== null && receipt.root;
  if (!formed || lines.length === 0 || lines.length > SIGNATURES_MAX || lines.includes(null)) {
    throw tampered(tell('điểm kiểm tra trong biên nhận bị hỏng hoặc đã bị sửa', 'the checkpoint is not in form'));
  }
  return receipt;
}

// At least one key in use at this size signed, and no line that names such a key is wrong.
async function checkSignatures({ origin, size, lines, body }, keys) {
  let known = 0;
  for (const { name, id, key, from, to } of keys) {
    if (name !== origin || size < from || (to !== null && size > to)) continue;
    for (const line of lines.filter((one) => one.name === name && one.id === id)) {
      if (!await signedBy(key, line.payload, body)) throw tampered(tell('chữ ký không khớp với nội dung biên nhận', 'the signature does not fit text and key'));
      known += 1;
    }
  }
  if (known === 0) throw tampered(tell('biên nhận không được ký bằng khóa đang dùng nào trong tệp khóa', 'the receipt is signed by no key of the key file that is in use at its size'));
}

// RFC 9162, section 2.1.3.2, over RFC 6962 hashes.
async function checkInclusion({ entry, index, size, path, root }) {
  const missing = tampered(tell('sự kiện không nằm trong sổ cái mà kho lưu trữ đã ký', 'the entry is not in the tree that the checkpoint signs'));
  if (index >= size) throw missing;
  let [at, last, digest] = [index, size - 1n, await sha256(join([0], entry))];
  for (const sibling of path) {
    if (last === 0n) throw missing;
    if (at & 1n || at === last) {
      digest = await sha256(join([1], sibling, digest));
      while (!(at & 1n) && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      digest = await sha256(join([1], digest, sibling));
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last !== 0n || !same(digest, root)) throw missing;
}

function readEntry(bytes) {
  const entry = bytes.every((byte) => byte >= 0x20 && byte < 0x7f) && bytes.length <= 4096 ? text(bytes) : null;
  const [digest, uuid] = ['[0-9a-f]{64}', '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'];
  const moment = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z';
  const head = `^\\{"at":"(${moment})","by":"${uuid}","description":"(${digest})","event":`;
  const tail = `"request":"${digest}","v":1\\}$`;
  const forms = [
    `${head}"(accessioned)","record":"(${uuid})",${tail}`,
    `${head}"(described|characterized)","record":"(${uuid})","replaces":"${digest}",${tail}`,
  ];
  const found = entry === null ? null : forms.map((one) => new RegExp(one).exec(entry)).find(Boolean);
  if (!found) throw tampered(tell('sự kiện không nêu bản mô tả nào: đây không phải biên nhận của một tệp', 'the entry is of no event that names a description: this receipt is not for a file'));
  const [, at, description, event, record] = found;
  return { at, description, event, record };
}

async function readDescription(bytes, entry) {
  if (hex(await sha256(bytes)) !== entry.description) throw tampered(tell('bản mô tả không phải là bản mà sự kiện nêu', 'this is not the description that the entry names'));
  let read = null;
  try {
    read = JSON.parse(text(bytes) ?? '');
  } catch {
    // Told below.
  }
  if (!read || read.schema !== 'record.v1' || read.record !== entry.record || !Array.isArray(read.components)) {
    throw tampered(tell('bản mô tả thuộc về tài liệu khác với tài liệu mà sự kiện nêu', 'the description is of another record than the entry'));
  }
  return read;
}

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

async function judge() {
  const [receiptFile, descriptionFile, file, keyFile] =
    ['receipt', 'description', 'file', 'keys'].map((name) => form.elements[name].files[0]);
  if (!receiptFile) throw usage(tell('chưa chọn biên nhận', 'no receipt was chosen'));
  if (file && file.size > HASHED_BYTES_MAX) throw usage(say.large);
  const answer = keyFile ? null : await fetch('/log/keys');
  const keys = await readKeys(keyFile ? await bytesOf(keyFile) : new Uint8Array(await answer.arrayBuffer()));
  const receipt = readReceipt(await bytesOf(receiptFile));
  await checkSignatures(receipt, keys);
  await checkInclusion(receipt);
  const entry = readEntry(receipt.entry);
  if (!descriptionFile) {
    throw new Verdict(2, tell(`biên nhận đúng (mục ${receipt.index}, ${entry.at}), nhưng phải có bản mô tả mới đối chiếu được tệp`, `the receipt holds (entry ${receipt.index}, ${entry.at}), but only its description ties it to a file`));
  }
  const description = await readDescription(await bytesOf(descriptionFile), entry);
  if (!file) throw new Verdict(2, tell('biên nhận và bản mô tả đúng, nhưng chưa có tệp để đối chiếu', 'receipt and description hold, but no file was given to compare with'));
  const digest = hex(await sha256(await bytesOf(file)));
  if (!description.components.some((component) => component && component.sha256 === digest)) {
    throw tampered(tell('tệp không phải là tệp nào được nêu trong bản mô tả', 'the file is none of the components that the description lists'));
  }
  return [
    tell(
      `tệp đúng là tệp của tài liệu ${entry.record}, sự kiện ${entry.event} lúc ${entry.at}, mục ${receipt.index} trên ${receipt.size} trong sổ cái của ${receipt.origin}`,
      `the file is the one in record ${entry.record}, ${entry.event} at ${entry.at}, entry ${receipt.index} of ${receipt.size} in the ledger of ${receipt.origin}`,
    ),
    ...(keyFile ? [] : [say.keys]),
  ];
}

function show(code, lines) {
  const box = document.createElement('div');
  box.className = `verdict outcome-${code}`;
  const title = document.createElement('h2');
  title.textContent = [say.holds, say.broken, say.incomplete, say.usage][code];
  box.append(title, ...[...lines, say.here].map((line) => {
    const paragraph = document.createElement('p');
    paragraph.textContent = line;
    return paragraph;
  }));
  shown.replaceChildren(box);
  box.scrollIntoView({ block: 'nearest' });
}

// Offered only where the browser can do it: RFC 8032, section 7.1, TEST 2.
async function canCheck() {
  try {
    const from = (digits) => Uint8Array.from(digits.match(/../g), (two) => parseInt(two, 16));
    const key = from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const signature = from('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da'
      + '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');
    return await signedBy(key, signature, from('72')) && !await signedBy(key, signature, from('73'));
  } catch {
    return false;
  }
}

canCheck().then((can) => {
  if (!can) return;
  document.querySelectorAll('.local').forEach((part) => { part.hidden = false; });
  document.getElementById('locally').addEventListener('click', () => {
    judge().then((lines) => show(0, lines), (error) => {
      // Whatever it was, it is not a proof, and no evidence either.
      show(error instanceof Verdict ? error.code : 3, [error.message]);
    });
  });
});
