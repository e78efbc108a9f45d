/// Whether runs differ by more than chance: paired tests over queries, as Smucker, Allan and Carterette
/// (2007, "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation")
/// recommend them.
package io.github.sgpt4j.retrieval.evaluation.significance;
