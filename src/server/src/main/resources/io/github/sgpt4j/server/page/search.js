// Search as one types: by words, by meaning, by both, and re-ranked, side by side.

import {ask, isAborted} from './api.js';
import {byId, debounced, make, plural, styled, unseen} from './dom.js';
import {explain} from './why.js';

const SHOWN = 10;
/** More than are shown, so that re-ranked documents have a place to come from. */
const FETCHED = 20;
const RERANKED = 20;
const MOST_CHARACTERS = 600;
const TYPING_PAUSE = 140;
const RERANK_PAUSE = 350;
const PHONE = '(max-width: 44rem)';

const EXAMPLES = ['fear of spiders', 'a place where books are kept', 'somebody who heals sick animals'];

/** The columns. `value` is what the bar shows, `written` the number beside it. */
const COLUMNS = {
  words: {
    name: 'Words',
    note: 'BM25: rare words that occur',
    mode: 'words',
    value: (result, best) => result.score / best,
    written: result => result.score.toFixed(2),
  },
  meaning: {
    name: 'Meaning',
    note: 'Similarity of embeddings',
    mode: 'meaning',
    value: (result, best) => (best > 0 ? result.score / Math.max(1, best) : 1 / (1 + best - result.score)),
    written: result => result.score.toFixed(3),
  },
  both: {
    name: 'Both',
    note: 'Fused by rank: Σ 1 / (60 + place)',
    mode: 'both',
    value: (result, best) => result.score / best,
    written: result => result.score.toFixed(4),
  },
  reranked: {
    name: 'Re-ranked',
    note: 'Mean log p of the query’s tokens after it',
    mode: 'both',
    value: (result, best) => (best > 0 ? (result.relevance_score ?? 0) / best : 0),
    written: result => (result.relevance_score > 0 ? Math.log(result.relevance_score).toFixed(2).replace('-', '−') : '–'),
  },
};

/** As much of a text as can be seen in a list. */
function beginning(text) {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}

/** Metadata in a line: "year 2021 · tags food, craft". */
function described(metadata) {
  return beginning(Object.entries(metadata).map(([name, value]) => `${name} ${[value].flat().join(', ')}`).join(' · '));
}

/** The view of searches. */
export function searchView() {
  const field = byId('query');
  const columns = byId('columns');
  const status = byId('search-status');
  const parts = new Map();
  let available = [];
  let documents = 0;
  let rerankNote;
  let number = 0;
  let running = new AbortController();
  let answers = {};
  let pending = new Set();

  function column(name) {
    const {name: title, note} = COLUMNS[name];
    const list = make('ol', {class: 'results', 'aria-label': `Results: ${title}`});
    const time = make('span', {class: 'time'});
    const element = make('section', {class: `column ${name}`, 'aria-labelledby': `column-${name}`},
      make('header', {}, make('h2', {id: `column-${name}`}, title), time, make('p', {}, note),
        name === 'reranked' && rerankNote ? make('p', {class: 'caution'}, rerankNote) : null),
      list);
    return {element, list, time};
  }

  function served(info) {
    const collection = info.collection;
    const ranks = info.capabilities.includes('rerank');
    documents = collection?.documents ?? 0;
    rerankNote = info.rerank_note;
    available = collection
      ? Object.keys(COLUMNS).filter(name => name === 'reranked' ? ranks : collection.modes.includes(name))
      : [];
    columns.replaceChildren();
    parts.clear();
    for (const name of available) {
      parts.set(name, column(name));
      columns.append(parts.get(name).element);
    }
    for (const radio of document.querySelectorAll('#modes input')) {
      radio.parentElement.hidden = radio.value !== 'all' && !available.includes(radio.value);
    }
    byId('modes').hidden = available.length < 2;
    const lead = byId('search-lead');
    field.disabled = !collection;
    if (info.collection_pending) {
      lead.textContent = 'The documents are being prepared for the first search. That takes some seconds; they appear here.';
    } else if (!collection) {
      lead.textContent = 'This server has no documents to search. With --index DIR it searches an index'
        + ' that sgpt index has made.';
    } else {
      lead.textContent = `Search ${plural(documents, 'document', 'documents')} (${collection.name})`
        + (available.includes('meaning') ? ', by words, by meaning, or both.' : ' by words: no model here embeds queries.');
      byId('examples').replaceChildren(...EXAMPLES.map(text =>
        make('li', {}, make('button', {type: 'button', onclick: () => search(text)}, text))));
    }
    choose(available.length < 2 ? available[0] ?? 'all' : preferred());
    update();
  }

  function preferred() {
    if (!matchMedia(PHONE).matches) {
      return 'all';
    }
    return ['both', 'words'].find(name => available.includes(name)) ?? 'all';
  }

  function choose(mode) {
    columns.dataset.mode = mode;
    for (const radio of document.querySelectorAll('#modes input')) {
      radio.checked = radio.value === mode;
    }
    for (const [name, {element}] of parts) {
      element.hidden = mode !== 'all' && mode !== name;
    }
  }

  function search(text) {
    field.value = text;
    field.focus();
    update();
  }

  const slowly = debounced((query, mine, signal) => request('reranked', query, mine, signal), RERANK_PAUSE);

  function update() {
    const query = field.value.trim();
    number++;
    running.abort();
    running = new AbortController();
    byId('search-empty').hidden = query !== '' && available.length > 0;
    columns.hidden = query === '' || available.length === 0;
    answers = {};
    pending = new Set(query === '' ? [] : available);
    for (const name of pending) {
      parts.get(name).element.setAttribute('aria-busy', 'true');
    }
    status.textContent = '';
    if (query === '') {
      return;
    }
    for (const name of available.filter(other => other !== 'reranked')) {
      request(name, query, number, running.signal);
    }
    if (available.includes('reranked')) {
      slowly(query, number, running.signal);
    }
  }

  async function request(name, query, mine, signal) {
    if (mine !== number) {
      return;
    }
    const mode = available.includes(COLUMNS[name].mode) ? COLUMNS[name].mode : 'words';
    const body = {query, mode, k: FETCHED};
    if (name === 'reranked') {
      body.rerank = RERANKED;
    }
    try {
      const answer = await ask('search', body, signal);
      if (mine === number) {
        answers[name] = answer;
        arrived(name, query);
      }
    } catch (failure) {
      if (mine === number && !isAborted(failure)) {
        answers[name] = {results: [], failure: failure.message};
        arrived(name, query);
      }
    }
  }

  function arrived(name, query) {
    pending.delete(name);
    for (const other of available) {
      // Others too: they say where their documents are here.
      if (answers[other]) {
        render(other, query);
      }
    }
    parts.get(name).element.removeAttribute('aria-busy');
    if (pending.size === 0) {
      const failed = available.find(other => answers[other].failure);
      status.classList.toggle('failed', failed !== undefined);
      status.textContent = failed ? answers[failed].failure : summary();
    }
  }

  function summary() {
    return available
      .map(name => `${COLUMNS[name].name}: ${Math.min(SHOWN, answers[name].results.length)} found`)
      .join(' · ');
  }

  function render(name, query) {
    const {list, time} = parts.get(name);
    const {results, took_ms: took, failure} = answers[name];
    const focused = [...list.querySelectorAll('button')].indexOf(document.activeElement);
    time.textContent = took === undefined ? '' : `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;
    if (results.length === 0) {
      list.replaceChildren(make('li', {class: 'none'}, failure ?? 'Nothing found.'));
      return;
    }
    const best = name === 'reranked'
      ? Math.max(...results.map(result => result.relevance_score ?? 0))
      : results[0].score;
    list.replaceChildren(...results.slice(0, SHOWN).map((result, index) => row(name, result, index, best, query)));
    list.querySelectorAll('button')[focused]?.focus();
  }

  function row(name, result, index, best, query) {
    const kind = COLUMNS[name];
    const share = Math.min(1, Math.max(0, kind.value(result, best)));
    const button = make('button', {type: 'button', class: 'result', 'data-id': result.id},
      make('span', {class: 'place'}, String(index + 1)),
      make('span', {class: 'content'},
        result.title ? make('span', {class: 'title'}, result.title) : null,
        make('span', {class: 'text'}, beginning(result.text)),
        result.metadata ? make('span', {class: 'metadata'}, described(result.metadata)) : null),
      make('span', {class: 'score'},
        unseen(' Score '),
        make('span', {class: 'bar', 'aria-hidden': 'true'}, styled(make('span'), '--share', share)),
        make('span', {class: 'number'}, kind.written(result))),
      make('span', {class: 'elsewhere'}, ...elsewhere(name, result.id, index)));
    button.addEventListener('click', () => explain(query, everything(result), available.includes('reranked'), rerankNote));
    button.addEventListener('pointerenter', () => mark(result.id));
    button.addEventListener('pointerleave', () => mark(undefined));
    button.addEventListener('focus', () => mark(result.id));
    button.addEventListener('blur', () => mark(undefined));
    return make('li', {}, button);
  }

  /** A result with the scores that it has in other columns. */
  function everything(result) {
    const same = available.map(name => answers[name]?.results.find(other => other.id === result.id));
    return Object.assign({}, ...same, result);
  }

  function placeIn(name, id) {
    return answers[name]?.results.findIndex(result => result.id === id) ?? -1;
  }

  /** Where a document is in the other columns: how its place changed. */
  function elsewhere(name, id, index) {
    if (name === 'reranked') {
      const from = available.includes('both') ? 'both' : 'words';
      const before = placeIn(from, id);
      return answers[from] ? [moved(before, index)] : [];
    }
    const others = name === 'both' ? ['words', 'meaning'] : [name === 'words' ? 'meaning' : 'words'];
    return others
      .filter(other => placeIn(other, id) >= 0)
      .map(other => make('span', {class: `chip ${other}`},
        unseen(' place '), `${COLUMNS[other].name.toLowerCase()} ${placeIn(other, id) + 1}`));
  }

  function moved(before, index) {
    if (before < 0) {
      return make('span', {class: 'chip'}, 'new');
    }
    const by = before - index;
    if (by === 0) {
      return make('span', {class: 'chip still'}, '= same place');
    }
    return make('span', {class: `chip ${by > 0 ? 'up' : 'down'}`},
      make('span', {'aria-hidden': 'true'}, by > 0 ? '▲ ' : '▼ '),
      unseen(by > 0 ? 'up ' : 'down '),
      `${Math.abs(by)}, was ${before + 1}`);
  }

  function mark(id) {
    for (const button of columns.querySelectorAll('.result')) {
      button.classList.toggle('same', id !== undefined && button.dataset.id === id);
    }
  }

  function buttonsOf(section) {
    return [...section.querySelectorAll('.result')];
  }

  function move(event) {
    const lists = [...columns.querySelectorAll('.column:not([hidden])')].filter(each => buttonsOf(each).length > 0);
    if (event.target === field) {
      if (event.key === 'ArrowDown' && lists.length > 0) {
        event.preventDefault();
        buttonsOf(lists[0])[0].focus();
      }
      return;
    }
    const button = event.target.closest?.('.result');
    if (!button) {
      return;
    }
    const at = lists.indexOf(button.closest('.column'));
    const list = buttonsOf(lists[at]);
    const place = list.indexOf(button);
    const near = offset => buttonsOf(lists[at + offset] ?? lists[at]);
    const targets = {
      ArrowDown: () => list[place + 1],
      ArrowUp: () => list[place - 1] ?? field,
      ArrowRight: () => near(1)[Math.min(place, near(1).length - 1)],
      ArrowLeft: () => near(-1)[Math.min(place, near(-1).length - 1)],
      Home: () => list[0],
      End: () => list.at(-1),
      Escape: () => field,
    };
    if (Object.hasOwn(targets, event.key)) {
      event.preventDefault();
      targets[event.key]()?.focus();
    }
  }

  field.addEventListener('input', debounced(update, TYPING_PAUSE));
  byId('search-form').addEventListener('submit', event => {
    event.preventDefault();
    update();
  });
  byId('modes').addEventListener('change', event => choose(event.target.value));
  byId('view-search').addEventListener('keydown', move);

  return {
    served,
    visible(now) {
      if (now && document.activeElement === document.body && !matchMedia(PHONE).matches) {
        field.focus();
      }
    },
  };
}
