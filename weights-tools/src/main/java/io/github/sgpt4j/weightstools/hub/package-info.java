/// Downloads from a Hugging Face hub, into the cache of its own tools.
package io.github.sgpt4j.weightstools.hub;
