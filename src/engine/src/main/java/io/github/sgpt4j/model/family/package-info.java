/// One class per model family, with the reader of its configuration and the names of its tensors.
package io.github.sgpt4j.model.family;
