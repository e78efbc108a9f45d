/// The verbs that compare embeddings: similarities, pairs, clusters.
package io.github.sgpt4j.cli.vectors;
