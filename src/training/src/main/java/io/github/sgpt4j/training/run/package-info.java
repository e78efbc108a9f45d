/// A training with saved states, evaluations, its curve, and the checkpoint it makes.
package io.github.sgpt4j.training.run;
