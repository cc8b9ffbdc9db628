// Package rules holds the rules of the house as tests: who may import whom, how
// files and packages are named, what is documented. It has no code of its own
// and is imported by nobody.
package rules
