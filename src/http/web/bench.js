// Hashes a file in the browser and asks the archive whether it is kept. The file goes nowhere.
'use strict';

const form = document.getElementById('holding');
const say = form.dataset;
const held = document.getElementById('held');

// A browser hashes a file only as a whole.
const HASHED_BYTES_MAX = 1024 * 1024 * 1024;

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function line(text, bad) {
  const paragraph = document.createElement('p');
  paragraph.className = bad ? 'notice bad' : 'notice';
  paragraph.textContent = text;
  return paragraph;
}

async function digest() {
  const [file] = form.elements.file.files;
  if (!file) return form.elements.sha256.value.trim().toLowerCase();
  if (file.size > HASHED_BYTES_MAX || !window.crypto || !crypto.subtle) throw new Error(say.large);
  held.replaceChildren(line(`${say.hashing} ${file.name}…`));
  return hex(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
}

async function ask() {
  const sha256 = await digest();
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(say.malformed);
  form.elements.sha256.value = sha256;
  const answer = await fetch('/api/v1/holdings', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ sha256 }),
  }).catch(() => null);
  if (!answer || !answer.ok) throw new Error(say.failed);
  const { holdings } = await answer.json();
  if (holdings.length === 0) return [line(say.none)];
  const list = document.createElement('ul');
  list.append(...holdings.map((one) => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = `/records/${one.record}`;
    link.textContent = one.subject;
    item.append(link);
    return item;
  }));
  return [line(say.held), list];
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask().then((shown) => held.replaceChildren(...shown), (error) => held.replaceChildren(line(error.message, true)));
});
form.elements.file.addEventListener('change', () => { form.elements.sha256.value = ''; });
// Dropped anywhere on the page.
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length === 0) return;
  form.elements.file.files = event.dataTransfer.files;
  form.requestSubmit();
});
