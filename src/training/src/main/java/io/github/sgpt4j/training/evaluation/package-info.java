/// Evaluations of a model while it is trained.
package io.github.sgpt4j.training.evaluation;
