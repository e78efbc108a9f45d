/// Why requests are not answered.
package io.github.sgpt4j.server.problem;
