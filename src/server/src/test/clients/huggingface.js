import { InferenceClient } from "@huggingface/inference";
import { attempts, failure, noting, report, task } from "./shared.js";

const { fetch, notes } = noting();
const hf = new InferenceClient(task.key, { fetch, retry_on_error: false });
const stranger = new InferenceClient("wrong", { fetch, retry_on_error: false });
const endpointUrl = task.base;
const inputs = task.texts;
const similarity = {
  endpointUrl: `${task.base}/similarity`,
  inputs: { source_sentence: task.query, sentences: task.documents },
};

report({
  single: await hf.featureExtraction({ endpointUrl, inputs: inputs[0] }),
  batch: await hf.featureExtraction({ endpointUrl: `${task.base}/embed`, inputs }),
  invocations: await hf.featureExtraction({ endpointUrl: `${task.base}/invocations`, inputs }),
  endpoint: await hf.endpoint(endpointUrl).featureExtraction({ inputs }),
  narrow: await hf.featureExtraction({ endpointUrl, inputs, dimensions: task.dimensions }),
  query: await hf.featureExtraction({ endpointUrl, inputs, prompt_name: "query" }),
  plain: await hf.featureExtraction({ endpointUrl, inputs, normalize: false }),
  cut: await hf.featureExtraction({ endpointUrl, inputs: task.long, truncate: true, truncation_direction: "Right" }),
  similarities: await hf.sentenceSimilarity(similarity),
  overloaded: await failure(() => hf.featureExtraction({ endpointUrl: task.overloaded, inputs })),
  requests: attempts(notes).statuses,
  failures: {
    key: await failure(() => stranger.featureExtraction({ endpointUrl, inputs })),
    path: await failure(() => hf.featureExtraction({ endpointUrl: `${task.base}/embed_all`, inputs })),
    empty: await failure(() => hf.featureExtraction({ endpointUrl, inputs: [] })),
    prompt: await failure(() => hf.featureExtraction({ endpointUrl, inputs, prompt_name: "unknown" })),
    long: await failure(() => hf.featureExtraction({ endpointUrl, inputs: task.long, truncate: false })),
    many: await failure(() => hf.featureExtraction({ endpointUrl, inputs: task.tooMany })),
    loading: await failure(() => hf.featureExtraction({ endpointUrl: task.loading, inputs })),
  },
});
