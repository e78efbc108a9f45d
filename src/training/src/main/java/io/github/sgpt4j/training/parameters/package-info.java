/// What is trained: stored tensors, or factors of low rank whose products are added to them.
package io.github.sgpt4j.training.parameters;
