/// Training data: rows of a query, a positive and negatives from files, and batches of them in an order
/// that a seed determines.
package io.github.sgpt4j.training.data;
