/// The APIs that clients speak.
package io.github.sgpt4j.server.dialect;
