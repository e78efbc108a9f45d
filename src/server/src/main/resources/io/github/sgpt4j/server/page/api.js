// Requests to this server, with its key if it has one.

import {byId} from './dom.js';

const STORED = 'sgpt4j-key';
const RETRIES = 60;

let key = stored();
let asking;

function stored() {
  try {
    return sessionStorage.getItem(STORED) ?? '';
  } catch {
    return '';
  }
}

function remember(value) {
  key = value;
  try {
    sessionStorage.setItem(STORED, value);
  } catch {
    // Kept in memory only.
  }
}

/** A request that the server did not answer as asked. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Whether a failure only says that nobody waits for the answer any more. */
export function isAborted(failure) {
  return failure?.name === 'AbortError';
}

/** The JSON answer of GET, or of POST if there is a body. */
export async function ask(path, body, signal) {
  const response = await fetched(path, body, signal);
  return response.json();
}

/** The text answer of GET. */
export async function askText(path, signal) {
  const response = await fetched(path, undefined, signal);
  return response.text();
}

async function fetched(path, body, signal) {
  for (let attempt = 0; ; attempt++) {
    const used = key;
    const response = await send(path, body, signal);
    if (response.ok) {
      return response;
    }
    if (response.status === 401 && await keyAfter(used)) {
      continue;
    }
    if ((response.status === 503 || response.status === 429) && attempt < RETRIES) {
      await pause(Number(response.headers.get('retry-after')) || 1, signal);
      continue;
    }
    throw new Refusal(response.status, await sentence(response));
  }
}

async function send(path, body, signal) {
  const headers = {accept: 'application/json, text/plain'};
  if (key) {
    headers.authorization = `Bearer ${key}`;
  }
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
  }
  try {
    return await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
  } catch (failure) {
    throw isAborted(failure) ? failure : new Refusal(0, 'The server does not answer.');
  }
}

async function sentence(response) {
  try {
    const answer = await response.json();
    const message = answer.error?.message ?? answer.error ?? answer.message;
    return typeof message === 'string' ? message : `The server answered ${response.status}.`;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(seconds, 5) * 1000);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('aborted', 'AbortError'));
    }, {once: true});
  });
}

/** Whether there is another key than the one that was refused; asks for one if not. */
async function keyAfter(refused) {
  if (key !== refused) {
    return true;
  }
  asking ??= prompted().finally(() => { asking = undefined; });
  return asking;
}

function prompted() {
  const dialog = byId('key');
  const form = byId('key-form');
  const field = byId('key-value');
  byId('key-note').textContent = key
    ? 'The key was not accepted.'
    : 'It stays in this tab and is forgotten when the tab is closed.';
  field.value = '';
  return new Promise(resolve => {
    let given = false;
    const submit = event => {
      event.preventDefault();
      remember(field.value.trim());
      given = key !== '';
      dialog.close();
    };
    form.addEventListener('submit', submit);
    dialog.addEventListener('close', () => {
      form.removeEventListener('submit', submit);
      resolve(given);
    }, {once: true});
    dialog.showModal();
  });
}
