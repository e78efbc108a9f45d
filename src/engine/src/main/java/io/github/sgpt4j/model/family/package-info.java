/// One class per model family: how its configuration is read, and where its tensors are.
package io.github.sgpt4j.model.family;
