/// The JDK's HTTP server.
package io.github.sgpt4j.server.transport;
