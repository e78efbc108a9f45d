/// Evaluation of retrieval: trec_eval's measures, BEIR collections, and USEB.
package io.github.sgpt4j.retrieval.evaluation;
