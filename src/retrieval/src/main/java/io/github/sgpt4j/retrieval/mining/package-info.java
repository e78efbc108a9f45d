/// Pairs and groups of similar texts among many, found by comparing all of them.
package io.github.sgpt4j.retrieval.mining;
