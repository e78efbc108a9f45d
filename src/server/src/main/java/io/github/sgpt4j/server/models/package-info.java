/// The models of a server, and the names that clients call them by.
package io.github.sgpt4j.server.models;
