// What is served on which device, and what the server is doing now.

import {askText, isAborted} from './api.js';
import {byId, draw, make} from './dom.js';
import {growth, parse, quantile, rate} from './metrics.js';

const INTERVAL = 2000;
const WINDOW = 31;
const WIDTH = 120;
const HEIGHT = 32;

const whole = value => Math.round(value).toLocaleString('en');
const perSecond = value => (value >= 100 ? whole(value) : value.toFixed(1));

function duration(seconds) {
  if (seconds === undefined) {
    return '–';
  }
  const milliseconds = seconds * 1000;
  if (milliseconds >= 1000) {
    return `${seconds.toFixed(1)} s`;
  }
  return `${milliseconds >= 10 ? milliseconds.toFixed(0) : milliseconds.toFixed(1)} ms`;
}

function uptime(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** The tiles: `now` takes the last reading, the one before it, and the oldest of the window. */
const TILES = [
  {
    id: 'running', name: 'Requests running', write: whole,
    now: last => last.sums.get('sgpt_requests_running'),
  },
  {id: 'queue', name: 'Waiting in the queue', write: whole, now: last => last.sums.get('te_queue_size')},
  {id: 'requests', name: 'Requests / s', write: perSecond, now: (last, previous) => rate(previous, last, 'te_request_count')},
  {
    id: 'tokens', name: 'Tokens / s', write: perSecond,
    now: (last, previous) => rate(previous, last, 'te_request_input_length_sum'),
  },
  {
    id: 'p50', name: 'Answer time, median', write: duration, missing: '–',
    now: (last, previous, oldest) => quantile(oldest, last, 'te_request_duration', 0.5),
  },
  {
    id: 'p99', name: 'Answer time, 99 %', write: duration, missing: '–',
    now: (last, previous, oldest) => quantile(oldest, last, 'te_request_duration', 0.99),
  },
  {
    id: 'failed', name: 'Refused in the last minute', write: whole,
    now: (last, previous, oldest) => growth(oldest, last, 'te_request_failure'),
  },
  {
    id: 'memory', name: 'Memory of the JVM', write: value => `${whole(value / 2 ** 20)} MB`,
    now: last => last.sums.get('jvm_memory_used_bytes'),
  },
];

/** The view of the server. */
export function serverView() {
  const status = byId('server-status');
  const tiles = new Map();
  const history = new Map(TILES.map(tile => [tile.id, []]));
  const readings = [];
  let shown = false;
  let timer;

  for (const {id, name} of TILES) {
    const value = make('span', {class: 'value'}, '–');
    const line = draw('polyline', {points: ''});
    const area = draw('polygon', {points: ''});
    const spark = draw('svg',
      {class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'},
      area, line);
    const range = make('span', {class: 'unseen'});
    tiles.set(id, {value, line, area, range});
    byId('tiles').append(make('li', {class: 'tile', 'data-tile': id}, make('span', {class: 'name'}, name), value, range, spark));
  }

  async function poll() {
    clearTimeout(timer);
    if (!shown || document.hidden) {
      return;
    }
    try {
      readings.push(parse(await askText('metrics'), performance.now()));
      // After a pause of the page the last reading stays, however old it is, so that there are rates.
      while (readings.length > 2 && readings[0].time < readings.at(-1).time - WINDOW * INTERVAL) {
        readings.shift();
      }
      render();
      status.textContent = '';
    } catch (failure) {
      if (!isAborted(failure)) {
        status.textContent = failure.message;
      }
    }
    clearTimeout(timer);
    timer = setTimeout(poll, INTERVAL);
  }

  function render() {
    const last = readings.at(-1);
    const previous = readings.at(-2) ?? last;
    for (const {id, name, now, write} of TILES) {
      const value = now(last, previous, readings[0]);
      const values = history.get(id);
      values.push(value);
      if (values.length > WINDOW) {
        values.shift();
      }
      const tile = tiles.get(id);
      const known = values.filter(each => each !== undefined);
      tile.value.textContent = value === undefined ? '–' : write(value);
      tile.range.textContent = known.length > 0
        ? ` ${name} in the last minute: ${write(Math.min(...known))} to ${write(Math.max(...known))}` : '';
      plot(tile, values);
    }
    const start = last.sums.get('process_start_time_seconds');
    byId('fact-uptime').textContent = start === undefined ? '–' : uptime(Date.now() / 1000 - start);
  }

  function plot({line, area}, values) {
    const top = Math.max(...values.map(value => value ?? 0), Number.MIN_VALUE);
    const points = values.map((value, i) => {
      const x = WIDTH * (WINDOW - values.length + i) / (WINDOW - 1);
      const y = HEIGHT - 2 - (HEIGHT - 5) * (value ?? 0) / top;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    line.setAttribute('points', points.join(' '));
    const left = WIDTH * (WINDOW - values.length) / (WINDOW - 1);
    area.setAttribute('points', `${left.toFixed(1)},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`);
  }

  function served(info) {
    const facts = [
      ['Model', info.model_id],
      ['Device', info.device],
      ['Weights', info.model_dtype],
      ['Can', info.capabilities.join(', ')],
      ['Dimensions', info.dimensions?.toLocaleString('en')],
      ['Pooling', info.model_type.embedding?.pooling],
      ['Longest text', `${info.max_input_length.toLocaleString('en')} tokens`],
      ['Batch', `${info.max_batch_tokens.toLocaleString('en')} tokens`],
      ['Texts of a request', `at most ${info.max_client_batch_size.toLocaleString('en')}`],
      ['Requests at a time', `at most ${info.max_concurrent_requests.toLocaleString('en')}`],
      ['Documents', info.collection
        ? `${info.collection.documents.toLocaleString('en')} (${info.collection.name})` : 'none'],
      ['Version', info.version],
      ['Fingerprint', info.fingerprint],
    ];
    byId('facts').replaceChildren(
      ...facts.filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, String(value)))),
      make('div', {}, make('dt', {}, 'Up for'), make('dd', {id: 'fact-uptime'}, '–')));
  }

  // Filled in once the server has said what it is.
  byId('facts').append(make('div', {}, make('dt', {}, 'Up for'), make('dd', {id: 'fact-uptime'}, '–')));

  return {
    served,
    visible(now) {
      shown = now;
      poll();
    },
  };
}
