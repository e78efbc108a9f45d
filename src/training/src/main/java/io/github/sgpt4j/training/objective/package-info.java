/// What embeddings are trained to do: the contrast of triples, or to follow a teacher.
package io.github.sgpt4j.training.objective;
