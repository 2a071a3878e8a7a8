// Package lint holds the rules of the root module that a compiler does not know:
// which package of edge or examples may import what. They run as ordinary tests;
// the kit has its own in sfukit/internal/lint.
package lint
