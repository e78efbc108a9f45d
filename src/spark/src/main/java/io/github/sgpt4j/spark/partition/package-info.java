/// Functions over the rows of a partition, for any engine that gives them as an iterator: this package
/// needs no Spark.
package io.github.sgpt4j.spark.partition;
