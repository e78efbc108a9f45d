/// The documents that a server searches.
package io.github.sgpt4j.server.search;
