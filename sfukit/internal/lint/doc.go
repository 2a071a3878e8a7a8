// Package lint holds the rules of this module that a compiler does not know:
// who may import whom, what a leaf may call, and which declarations are public.
// They run as ordinary tests; the root module has its own in edge/internal/lint.
package lint
