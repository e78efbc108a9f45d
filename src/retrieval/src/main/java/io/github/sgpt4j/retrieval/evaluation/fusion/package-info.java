/// Merging runs of different searches into one.
package io.github.sgpt4j.retrieval.evaluation.fusion;
