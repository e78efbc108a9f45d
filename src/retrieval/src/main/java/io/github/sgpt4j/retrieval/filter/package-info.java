/// Conditions on the metadata of documents.
package io.github.sgpt4j.retrieval.filter;
