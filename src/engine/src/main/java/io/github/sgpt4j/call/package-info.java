/// State of one call of the public API.
package io.github.sgpt4j.call;
