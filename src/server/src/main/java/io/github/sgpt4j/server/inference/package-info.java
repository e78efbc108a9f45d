/// What requests compute, whatever their dialect: tokenizing, waiting, batches, times.
package io.github.sgpt4j.server.inference;
