/// Requests and answers, independent of the library that transports them.
package io.github.sgpt4j.server.http;
