/// The page for people.
package io.github.sgpt4j.server.page;
