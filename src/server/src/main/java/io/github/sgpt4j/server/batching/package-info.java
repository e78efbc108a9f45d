/// Batches of the inputs of many requests.
package io.github.sgpt4j.server.batching;
