import { OpenAIEmbeddings } from "@langchain/openai";
import { attempts, failure, noting, report, task } from "./shared.js";

const { fetch, notes } = noting();
const embeddings = (base, more = {}) =>
  new OpenAIEmbeddings({
    model: task.model,
    apiKey: task.key,
    maxRetries: 0,
    ...more,
    configuration: { baseURL: `${base}/v1`, fetch },
  });

const usual = embeddings(task.base);
const documents = await usual.embedDocuments(task.texts);
const asked = notes[0].body;
const query = await usual.embedQuery(task.texts[0]);
const batchStart = notes.length;
const batches = await embeddings(task.base, { batchSize: 2 }).embedDocuments(task.texts);
const requests = notes.length - batchStart;
const float = await embeddings(task.base, { encodingFormat: "float" }).embedDocuments(task.texts);
const narrow = await embeddings(task.base, { dimensions: task.dimensions }).embedDocuments(task.texts);
const asQuery = await embeddings(task.base, { model: `${task.model}:query` }).embedQuery(task.texts[0]);

const start = notes.length;
const retried = await embeddings(task.overloaded, { maxRetries: 3 }).embedDocuments(task.texts);
const retry = attempts(notes.slice(start));

report({
  asked,
  documents,
  query,
  requests,
  batches,
  float,
  narrow,
  asQuery,
  retry,
  retried,
  failures: {
    key: await failure(() => embeddings(task.base, { apiKey: "wrong" }).embedQuery("a")),
    model: await failure(() => embeddings(task.base, { model: "unknown" }).embedQuery("a")),
    empty: await failure(() => usual.embedQuery("")),
    many: await failure(() => usual.embedDocuments(task.tooMany)),
    loading: await failure(() => embeddings(task.loading).embedQuery("a")),
  },
});
