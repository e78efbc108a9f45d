// The views, and what they share: who is served, keys on the keyboard, dialogs.

import {ask} from './api.js';
import {byId} from './dom.js';
import {compareView} from './compare.js';
import {searchView} from './search.js';
import {serverView} from './server.js';

const TITLES = {search: 'Search', compare: 'Compare', server: 'Server'};

const INTERVAL = 2000;
const TRIES = 60;

const views = {search: searchView(), compare: compareView(), server: serverView()};

function shown() {
  const name = location.hash.slice(1);
  return Object.hasOwn(TITLES, name) ? name : 'search';
}

function show() {
  const current = shown();
  document.title = `${TITLES[current]} · sgpt4j`;
  for (const name of Object.keys(TITLES)) {
    byId(`view-${name}`).hidden = name !== current;
    views[name].visible(name === current);
  }
  for (const link of document.querySelectorAll('nav [data-view]')) {
    if (link.dataset.view === current) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
}

function isTyping(target) {
  return target instanceof HTMLElement && target.closest('input:not([type=radio]), textarea, select') !== null;
}

document.addEventListener('keydown', event => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === '/' && plain && !isTyping(event.target) && !document.querySelector('dialog[open]')) {
    event.preventDefault();
    location.hash = 'search';
    show();
    byId('query').focus();
  }
});

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', event => {
    // The dialog itself is hit only beside its sheet.
    if (event.target === dialog || event.target.closest('[data-close]')) {
      dialog.close();
    }
  });
}

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  byId('main').focus();
});

function tell(info) {
  byId('served').textContent = `${info.model_id} on ${info.device}`;
  for (const view of Object.values(views)) {
    view.served(info);
  }
}

/** The server prepares its documents. */
async function awaitDocuments() {
  for (let tries = 0; tries < TRIES; tries++) {
    await new Promise(resolve => setTimeout(resolve, INTERVAL));
    const info = document.hidden ? {collection_pending: true} : await ask('info');
    if (!info.collection_pending) {
      tell(info);
      return;
    }
  }
}

async function start() {
  const problem = byId('problem');
  try {
    const info = await ask('info');
    tell(info);
    problem.hidden = true;
    if (info.collection_pending) {
      await awaitDocuments();
    }
  } catch (failure) {
    problem.textContent = failure.status === 401
      ? 'This server asks for its key. Reload the page to enter it.'
      : `This page could not ask the server about itself: ${failure.message}`;
    problem.hidden = false;
  }
}

window.addEventListener('hashchange', show);
document.addEventListener('visibilitychange', show);
show();
start();
