/// Reads bodies of requests within limits, and writes answers.
package io.github.sgpt4j.server.json;
