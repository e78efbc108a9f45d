/// Reading texts: lines, JSON Lines, BEIR collections, folders of text files.
package io.github.sgpt4j.retrieval.corpus;
