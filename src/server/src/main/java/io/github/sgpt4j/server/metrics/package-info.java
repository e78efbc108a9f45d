/// What is counted and measured.
package io.github.sgpt4j.server.metrics;
