/// Reading texts: lines, JSON Lines, BEIR's collections, folders of text files.
package io.github.sgpt4j.retrieval.corpus;
