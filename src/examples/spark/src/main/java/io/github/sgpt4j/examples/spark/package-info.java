/// Example of a job for Spark.
package io.github.sgpt4j.examples.spark;
