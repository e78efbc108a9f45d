/// How the shards of an index are written and committed.
package io.github.sgpt4j.spark.index;
