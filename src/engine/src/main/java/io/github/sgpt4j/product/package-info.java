/// Products of many vectors with each other, for modules that compare embeddings.
package io.github.sgpt4j.product;
