/// Long documents as passages: where texts are split, and which words of a query they contain.
package io.github.sgpt4j.retrieval.passage;
