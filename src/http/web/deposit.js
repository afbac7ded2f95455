// Hands files over, several at once, through the API. What was acknowledged stays acknowledged: the key of a
// record is made from what is handed over, so that sending again never doubles it.
'use strict';

const form = document.getElementById('deposit');
const say = form.dataset;
const rows = document.getElementById('rows');
const together = document.getElementById('together');
const [send, stop, overall] = ['send', 'stop', 'overall'].map((id) => document.getElementById(id));

const AT_ONCE = 3;
const TRIES = 6;
// Larger files are hashed by the archive alone: a browser would have to hold them whole.
const HASHED_BYTES_MAX = 256 * 1024 * 1024;

let records = [];
let running = null;

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));
const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

// A file's name without its ending, as a first guess at the subject.
const guess = (name) => name.normalize('NFC').replace(/\.[^.]{1,5}$/, '').replace(/[_\s]+/g, ' ').trim();

function add(files) {
  const groups = together.checked && files.length ? [files] : files.map((file) => [file]);
  for (const group of groups) {
    const row = document.getElementById('row').content.firstElementChild.cloneNode(true);
    const record = { row, files: group, done: false };
    row.querySelector('[name=subject]').value = guess(group[0].name);
    const names = row.querySelector('.files');
    names.textContent = group.map((file) => `${file.name.normalize('NFC')} (${file.size.toLocaleString()} B)`).join(', ');
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'quiet';
    remove.textContent = say.remove;
    remove.addEventListener('click', () => {
      if (running) return;
      records = records.filter((one) => one !== record);
      row.remove();
      count();
    });
    names.append(' ', remove);
    tell(record, 'ready', say.ready);
    rows.append(row);
    records.push(record);
  }
  count();
}

function count() {
  const done = records.filter((record) => record.done).length;
  document.getElementById('none').hidden = records.length > 0;
  send.disabled = Boolean(running) || done === records.length;
  overall.textContent = records.length ? `${done} / ${records.length} ${say.overall}` : '';
}

function tell(record, state, text) {
  record.row.dataset.state = state;
  record.row.querySelector('.state').textContent = text;
}

// A field as the form calls it.
function named(field) {
  const known = field && form.querySelector(`[name="${CSS.escape(field)}"]`);
  const own = document.getElementById('row').content.querySelector(field ? `[name="${CSS.escape(field)}"]` : 'none');
  const label = (known || own)?.closest('label');
  return label ? label.firstChild.textContent.trim() : field;
}

function findings(record, found) {
  const list = record.row.querySelector('.findings');
  list.replaceChildren(...found.map((one) => {
    const line = document.createElement('li');
    line.className = one.severity;
    const field = document.createElement('b');
    field.textContent = named(one.field) || one.code;
    line.append(field, ` ${one.text}`);
    return line;
  }));
}

// The description of a record: what it shares with the others, and its own.
async function described(record) {
  const description = {};
  const fields = [...document.querySelectorAll('#common [name]'), ...record.row.querySelectorAll('[name]')];
  for (const field of fields) {
    const value = field.value.normalize('NFC').trim();
    const day = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(value) || /^()(\d{1,2})\/(\d{4})$/.exec(value);
    if (!value) continue;
    description[field.name] = field.name === 'issued' && day
      ? [day[3], day[2].padStart(2, '0'), day[1].padStart(2, '0')].filter((part) => part !== '00').join('-')
      : value;
  }
  description.components = [];
  for (const file of record.files) {
    const component = { path: file.name };
    if (file.size <= HASHED_BYTES_MAX && crypto.subtle) component.sha256 = await sha256(await file.arrayBuffer());
    description.components.push(component);
  }
  return description;
}

// The same description and files have the same key; where a file was too large to be hashed here, its name, size
// and time of change stand for it.
async function key(record, text) {
  const files = record.files.map((file) => [file.name, file.size, file.lastModified]);
  return sha256(new TextEncoder().encode(JSON.stringify([text, files])));
}

function post(record, text, key, signal) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append('description', new Blob([text], { type: 'application/json' }), 'description.json');
    for (const file of record.files) body.append('component', file, file.name);
    const request = new XMLHttpRequest();
    request.open('POST', '/api/v1/records');
    request.responseType = 'json';
    request.setRequestHeader('Idempotency-Key', key);
    request.setRequestHeader('Accept-Language', document.documentElement.lang);
    request.upload.addEventListener('progress', (event) => {
      record.row.querySelector('progress').value = event.loaded / event.total;
      if (event.loaded === event.total) tell(record, 'sending', say.keeping);
    });
    request.addEventListener('load', () => resolve(request));
    request.addEventListener('error', () => reject(new Error('lost')));
    request.addEventListener('abort', () => reject(new Error('stopped')));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

// What is wrong with the description alone is told before a byte is sent.
async function check(text, signal) {
  const answer = await fetch('/api/v1/findings', {
    method: 'POST', body: text, signal,
    headers: { 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang },
  });
  return answer.ok ? answer.json() : { acceptable: true, findings: [] };
}

function accepted(record, answer) {
  record.done = true;
  tell(record, 'kept', answer.repeated ? say.repeated : say.kept);
  record.row.querySelector('progress').value = 1;
  record.row.querySelectorAll('input, .files button').forEach((one) => { one.disabled = true; });
  const receipt = URL.createObjectURL(new Blob([answer.receipt], { type: 'text/plain' }));
  const links = [
    [say.record, `/records/${answer.record}`], [say.receipt, receipt], [say.verify, `/verify?record=${answer.record}`],
  ];
  record.row.querySelector('.links').replaceChildren(...links.map(([text, href]) => {
    const link = document.createElement('a');
    link.textContent = text;
    link.href = href;
    if (href === receipt) link.download = `${answer.record}.receipt.txt`;
    return link;
  }));
}

async function handOver(record, signal) {
  try {
    tell(record, 'sending', say.checking);
    const description = JSON.stringify(await described(record));
    const checked = await check(description, signal);
    findings(record, checked.findings);
    if (!checked.acceptable) return tell(record, 'refused', say.refused);
    const itsKey = await key(record, description);
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      tell(record, 'sending', say.sending);
      const request = await post(record, description, itsKey, signal).catch((error) => {
        if (error.message === 'stopped') throw error;
        return null;
      });
      const answer = request && request.response;
      if (request && request.status < 300 && answer) {
        if (!answer.repeated) findings(record, answer.findings);
        return accepted(record, answer);
      }
      if (request && request.status === 401) return tell(record, 'refused', say.login);
      if (request && ![408, 409, 429, 503, 507].includes(request.status)) {
        findings(record, (answer && answer.findings) || []);
        const why = answer && answer.code !== 'refused' ? `${answer.title}. ${answer.detail}` : say.refused;
        return tell(record, 'refused', why);
      }
      const told = request && Number(request.getResponseHeader('Retry-After'));
      const seconds = told || 2 ** attempt;
      tell(record, 'waiting', `${say.waiting} ${seconds} s`);
      await pause(seconds * 1000, signal);
      if (signal.aborted) throw new Error('stopped');
    }
    return tell(record, 'refused', say.lost);
  } catch (error) {
    return tell(record, 'refused', signal.aborted ? say.stopped : say.lost);
  } finally {
    count();
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (running) return;
  running = new AbortController();
  stop.hidden = false;
  count();
  const left = records.filter((record) => !record.done);
  const hand = async () => {
    for (let record = left.shift(); record && !running.signal.aborted; record = left.shift()) {
      await handOver(record, running.signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, hand));
  running = null;
  stop.hidden = true;
  count();
});

stop.addEventListener('click', () => running && running.abort());

const chooser = document.getElementById('files');
chooser.addEventListener('change', () => {
  add([...chooser.files]);
  chooser.value = '';
});
const drop = document.getElementById('drop');
drop.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  add([...event.dataTransfer.files]);
});
addEventListener('beforeunload', (event) => { if (running) event.preventDefault(); });
